// The catalogue of error codes against the code that uses them and the document that explains them.

import { findLine, type SourceFile } from './source-file.ts';

/** Statuses by code. */
export type Catalogue = Readonly<Record<string, number>>;

/** Where the catalogue itself stands. */
export const cataloguePath = 'message/error-catalogue.ts';

/** Codes of the catalogue that no other file names as a string. */
export function findUnusedCodes(files: readonly SourceFile[], catalogue: Catalogue): string[] {
  const used = new Set(listUsedCodes(files).map(({ code }) => code));
  return Object.keys(catalogue).filter((code) => !used.has(code));
}

/** Codes that stand in the code and not in the catalogue. */
export function findUnknownCodes(files: readonly SourceFile[], catalogue: Catalogue): string[] {
  return listUsedCodes(files)
    .filter(({ code }) => !(code in catalogue))
    .map(({ code, where }) => `${where} ${code}`);
}

function listUsedCodes(files: readonly SourceFile[]): { code: string; where: string }[] {
  return files
    .filter((file) => file.path !== cataloguePath)
    .flatMap((file) =>
      file.nodes
        .filter((node) => node.type === 'Literal' && /^TSS_[A-Z_]+$/.test(String(node.value)))
        .map((node) => ({ code: String(node.value), where: `${file.path}:${findLine(file, node.start)}` })),
    );
}

/** What docs/errors.md says, where it differs from the catalogue, and rows without an explanation. */
export function findDocumentProblems(markdown: string, catalogue: Catalogue): string[] {
  const rows = [...markdown.matchAll(/^\| `(TSS_[A-Z_]+)` \| (\d+) \| (.*) \| (.*) \|$/gm)];
  const documented = rows.map(([, code]) => code);
  const problems = rows.flatMap(([, code, status, meaning, advice]) => {
    if (!(code in catalogue)) return [`${code} is explained and does not exist`];
    if (catalogue[code] !== Number(status)) return [`${code} has status ${catalogue[code]}, not ${status}`];
    return meaning.length < 10 || advice.length < 10 ? [`${code} is not explained`] : [];
  });
  const missing = Object.keys(catalogue).filter((code) => !documented.includes(code));
  const repeated = documented.filter((code, at) => documented.indexOf(code) !== at);
  return [
    ...problems,
    ...missing.map((code) => `${code} is missing`),
    ...repeated.map((code) => `${code} is there twice`),
  ];
}
