/** What the format itself limits. */
export const toolNameLengthMax = 128;
