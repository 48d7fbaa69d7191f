// Lets this process import TypeScript: loaded by app-host/main for a TypeScript application, and usable by itself as
// `node --import tsserve/dist/app-host/register-typescript.js script.ts`. Does nothing where Node can do it itself.

import { register } from 'node:module';

const { typescript } = process.features as { typescript?: false | 'strip' | 'transform' };
if (!typescript) register('../app-host/typescript-hooks.js', import.meta.url);
