// Who may import whom: the table of ARCHITECTURE.md, read from there and held against the imports of src/.

import { listImports, resolveImport, type SourceFile } from './source-file.ts';

/** Rooms a room may import from, by room; "middleware/*" and "handlers/*" stand for each folder below. */
export type ImportTable = ReadonlyMap<string, readonly string[]>;

/** Reads the table under the heading "Imports". Throws when it is not there. */
export function readImportTable(markdown: string): ImportTable {
  const section = /^## Imports\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(markdown)?.[1] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .slice(2);
  if (rows.length === 0) throw new Error('ARCHITECTURE.md has no import table');
  return new Map(rows.map(([, room, allowed]) => [room, allowed === '' ? [] : allowed.split(/\s*,\s*/)]));
}

/** The room of a path below src/: "http1", "handlers/static", or a root file's own name. */
export function findRoom(path: string): string {
  const parts = path.split('/');
  const floors = parts[0] === 'middleware' || parts[0] === 'handlers' ? 2 : 1;
  return parts.slice(0, Math.min(floors, parts.length)).join('/');
}

function findRow(room: string, table: ImportTable): string | undefined {
  if (table.has(room)) return room;
  const row = `${room.split('/')[0]}/*`;
  return room.includes('/') && !room.endsWith('.ts') && table.has(row) ? row : undefined;
}

/** Imports from a room that the table does not allow, and files that stand in no room of the table. */
export function findForbiddenImports(files: readonly SourceFile[], table: ImportTable): string[] {
  const problems: string[] = [];
  for (const file of files) {
    const room = findRoom(file.path);
    const row = findRow(room, table);
    if (row === undefined) {
      problems.push(`${file.path} stands in no room of the table`);
      continue;
    }
    for (const { specifier } of listImports(file)) {
      const target = resolveImport(file, specifier);
      if (target === null || findRoom(target) === room) continue;
      const targetRow = findRow(findRoom(target), table);
      if (targetRow === undefined || !table.get(row)?.includes(targetRow)) {
        problems.push(`${file.path} imports ${target}`);
      }
    }
  }
  return problems;
}

/** Imports that lead back to where they began, each cycle once. Type-only imports count. */
export function findImportCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(files.map((file) => [file.path, listTargets(file, true)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, road: readonly string[]): void => {
    const seenAt = road.indexOf(path);
    if (seenAt !== -1) cycles.push([...road.slice(seenAt), path].join(' -> '));
    if (seenAt !== -1 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...road, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

/** What loads `packageName` at run time when one of `starts` is loaded: the road to it, for each start. */
export function findRoadsToPackage(
  files: readonly SourceFile[],
  starts: readonly string[],
  packageName: string,
): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const findRoad = (path: string, seen: Set<string>): string[] | null => {
    const file = byPath.get(path);
    if (file === undefined || seen.has(path)) return null;
    seen.add(path);
    const loaded = listImports(file).filter((entry) => !entry.typeOnly);
    if (loaded.some(({ specifier }) => isPackage(specifier, packageName))) return [path, packageName];
    for (const target of listTargets(file, false)) {
      const rest = findRoad(target, seen);
      if (rest !== null) return [path, ...rest];
    }
    return null;
  };
  return starts
    .map((start) => findRoad(start, new Set()))
    .filter((road) => road !== null)
    .map((road) => road.join(' -> '));
}

/** Whether a specifier is that package or a path inside it. */
export function isPackage(specifier: string, packageName: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`);
}

function listTargets(file: SourceFile, withTypes: boolean): string[] {
  return listImports(file)
    .filter((entry) => withTypes || !entry.typeOnly)
    .map((entry) => resolveImport(file, entry.specifier))
    .filter((target) => target !== null);
}
