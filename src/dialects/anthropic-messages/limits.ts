/** What the format itself limits. */
export const toolNameLengthMax = 128;
export const userLengthMax = 256;
