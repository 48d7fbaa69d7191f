// The shape of `requestBuffering` and `buffering`.

import { z } from 'zod';
import { existingDirectory } from '../../config/shape/file-path.ts';
import { size } from '../../config/shape/size.ts';
import { type BufferSettings, standardBuffer } from './buffer-settings.ts';

const settingsShape = z.strictObject({
  memory: size().prefault('64k').describe('Most of one body that is held in memory. Default "64k".'),
  disk: size()
    .prefault('1g')
    .describe(
      'Most bytes of all bodies of this route in temporary files, for each front worker; 0 for no files. Default "1g".',
    ),
  folder: existingDirectory()
    .nullable()
    .prefault(null)
    .describe("Where those files are, though without a name. Default: the system's folder for them."),
});

/** false, true or an object; comes out as null or an object. */
export const bufferShape = z.union([
  z.boolean().transform((isOn): BufferSettings | null => (isOn ? standardBuffer : null)),
  settingsShape,
]);
