/** Why a person decided something: kept with the decision, and never empty. What people write, as it may be kept. */
import { z } from 'zod';

const lengthMax = 500;

/** Commands to a terminal, halves of characters: nobody writes them, and they do harm where they are shown. */
const unreadable = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/;
const isReadable = (text: string): boolean => !unreadable.test(text) && text.isWellFormed();

/** Text that a person writes for others to read. */
export const written = z.string().trim().refine(isReadable, 'holds characters that cannot be shown');

export const reason = written.min(1, 'say why, in a few words').max(lengthMax);
