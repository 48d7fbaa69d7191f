// The settings of `cgi`.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../../config/shape/add-problem.ts';
import { existingDirectory } from '../../config/shape/file-path.ts';
import { size } from '../../config/shape/size.ts';
import { templateText } from '../../config/shape/template-text.ts';

/** A path as requests' paths are compared: decoded, without empty or dot segments, no slash at its end. "" for "/". */
function decodedPath(example: string, mayBeRoot: boolean) {
  return z.string().transform((text, context) => {
    const path = text.endsWith('/') ? text.slice(0, -1) : text;
    const segments = path.split('/').slice(1);
    if (path === '' && mayBeRoot) return path;
    const isPath = path.startsWith('/') && !/[\x00-\x1f\x7f?#\\%]/.test(path);
    if (isPath && segments.every((segment) => !['', '.', '..'].includes(segment))) return path;
    return addProblem(
      context,
      `${JSON.stringify(text)} is not a path in its normal form`,
      `such as "${example}"`,
    );
  });
}

const extension = z.string().transform((text, context) => {
  if (/^\.[!-~]+$/.test(text) && !text.includes('/')) return text;
  return addProblem(context, `${JSON.stringify(text)} is not the extension of a script`, 'such as ".php"');
});

const indexName = z.string().transform((text, context) => {
  if (/^[^/\\\x00-\x1f\x7f]+$/.test(text) && text !== '.' && text !== '..') return text;
  return addProblem(context, `${JSON.stringify(text)} is not the name of a file`, 'such as "index.php"');
});

const peerFolder = z.string().transform((text, context) => {
  if (text.startsWith('/') && !text.includes('\0')) return text.replace(/\/+$/, '');
  return addProblem(context, `${JSON.stringify(text)} is not an absolute path`, 'such as "/app/public"');
});

const variableName = z.string().transform((name, context) => {
  if (name === 'CONTENT_LENGTH')
    return addProblem(context, 'CONTENT_LENGTH belongs to the body, not to the config');
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  const problem = `${JSON.stringify(name)} is not the name of a variable`;
  return addProblem(context, problem, 'letters, digits and "_", as in "APP_ENV"');
});

const variableValue = templateText().transform((text, context) => {
  return text.includes('\0') ? addProblem(context, 'a variable cannot hold a NUL character') : text;
});

const settingsShape = z.strictObject({
  upstream: z
    .string()
    .describe('Name of the upstream that answers: one of "fastcgi://", "uwsgi://" or "scgi://".'),
  root: existingDirectory()
    .nullable()
    .prefault(null)
    .describe(
      'Folder of the scripts, relative to the config file. The path names a script in it (SCRIPT_FILENAME), and is ' +
        'answered 404 when there is no such file, or when it lies outside. Default: none, the peer is one application ' +
        'that gets the whole path as PATH_INFO.',
    ),
  peerRoot: peerFolder
    .nullable()
    .prefault(null)
    .describe(
      'The same folder under the name that the peer knows it by: one in a container, as a rule. Without "root", ' +
        'nobody checks here whether a script exists. Default: as "root".',
    ),
  index: indexName
    .nullable()
    .prefault(null)
    .describe('The script for paths that end in "/", such as "index.php". Default: none.'),
  script: decodedPath('/index.php', false)
    .nullable()
    .prefault(null)
    .describe('The one script that answers every path, such as "/index.php". Default: none.'),
  splitPathInfo: z
    .union([extension.transform((one) => [one]), z.array(extension)])
    .prefault([])
    .describe(
      'Extensions of scripts, such as ".php", behind which a path may go on: the first segment that ends in one is ' +
        'the script, the rest is PATH_INFO. Letter case counts. Default: the whole path is the script.',
    ),
  scriptName: decodedPath('/app', true)
    .prefault('')
    .describe(
      'Without "root": the start of the path that belongs to us. The application gets it as SCRIPT_NAME, and only the ' +
        'rest as PATH_INFO. Default: none.',
    ),
  params: z
    .record(variableName, variableValue.nullable())
    .prefault({})
    .describe('Variables that are added or replaced, by name; may hold $variables. null removes one.'),
  bodyBuffer: size()
    .refine((bytes) => bytes > 0, 'this size must be more than 0')
    .prefault('1m')
    .describe(
      'Most of a body of unknown length (chunked) that is held in memory: the peer must be told the length first. ' +
        'More is answered 413. Default "1m".',
    ),
});

/** A checked `cgi` setting. Sizes in bytes. */
export type CgiSettings = z.output<typeof settingsShape>;

/** Which peer runs what: the name of an upstream alone, or an object. */
export const cgiShape = z.union([
  z.string().transform((upstream): CgiSettings => settingsShape.parse({ upstream })),
  settingsShape.superRefine(checkTogether),
]);

/** Settings that mean nothing beside, or without, another one. */
function checkTogether(settings: CgiSettings, context: ProblemSink): void {
  const { index, peerRoot, root, script, scriptName, splitPathInfo } = settings;
  const given = { index: index !== null, script: script !== null, splitPathInfo: splitPathInfo.length > 0 };
  for (const [key, isGiven] of Object.entries(given)) {
    if (!isGiven) continue;
    if (root === null && peerRoot === null)
      addProblem(context, `"${key}" speaks of scripts, but there is no "root"`, '', [key]);
    else if (script !== null && key !== 'script')
      addProblem(context, `"script" answers every path: "${key}" has nothing to say`, 'remove one', [key]);
  }
  if (scriptName !== '' && (root !== null || peerRoot !== null))
    addProblem(context, 'with "root", SCRIPT_NAME is the script', 'remove "scriptName"', ['scriptName']);
}
