// The names of a server: exact, "*.x", "x.*" and "~regexp", as nginx's server_name.

import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { findRegexProblem } from '../config/shape/regex-text.ts';

/**
 * One name. Comes out in lower case and without a trailing dot, unless it is a regular expression.
 * "" stands for requests that name no host.
 */
export const serverNameShape = z
  .string()
  .transform(parseServerName)
  .meta({ examples: ['example.com', '*.example.com', 'www.example.*', '~^shop\\d+\\.example\\.com$'] });

function parseServerName(text: string, context: ProblemSink): string {
  if (text === '') return text;
  if (text.startsWith('~')) {
    const problem = text === '~' ? 'nothing follows "~"' : findRegexProblem(text.slice(1), 'i');
    return problem === null ? text : addProblem(context, `bad regular expression: ${problem}`);
  }
  const name = text.toLowerCase().replace(/\.$/, '');
  const literal = name.replace(/^\*\.|\.\*$/g, '');
  if (literal.includes('*'))
    return addProblem(
      context,
      `${JSON.stringify(text)}: "*" can only stand for the whole beginning or end of a name`,
      'as in "*.example.com" or "www.example.*"',
    );
  if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(literal) || /^\[[0-9a-f:.]+\]$/.test(literal)) return name;
  return addProblem(context, `${JSON.stringify(text)} is not a server name`, suggestServerName(text));
}

function suggestServerName(text: string): string {
  const host = /^(?:https?:\/\/)?([^/:]+)(?::\d+)?(?:\/.*)?$/i.exec(text)?.[1];
  if (host !== undefined && host !== text) return `a host alone: "${host}"`;
  if (/[^\0-\x7f]/.test(text)) return `names are written in ASCII: "${domainToASCII(text)}"`;
  if (text.startsWith('.')) return `write "${text.slice(1)}" and "*${text}"`;
  return '';
}
