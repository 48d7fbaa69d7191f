// Shows a page in the browser of whoever started the server, by the system's own program for that; never by a shell.

import { spawn } from 'node:child_process';

/** What opens a URL; the URL comes behind. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  // "start" is a word of the shell's; this is what it comes to.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens a URL and does not wait for it. `onProblem` gets a sentence when the system cannot. */
export function openBrowser(url: string, onProblem: (problem: string) => void): void {
  const [program, ...words] = openers[process.platform] ?? ['xdg-open'];
  const giveUp = (why: string): void => onProblem(`cannot show ${url} in a browser: ${why}`);
  // In a group of its own: the Ctrl-C that ends the server is not meant for the browser.
  const child = spawn(program, [...words, url], { stdio: 'ignore', detached: true });
  child.once('error', (error) => giveUp(error.message));
  child.once('exit', (code) => {
    if (code !== null && code > 0) giveUp(`${program} ended with ${code}`);
  });
  child.unref();
}
