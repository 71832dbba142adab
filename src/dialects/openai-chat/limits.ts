/** What the format itself limits. */
export const toolNameLengthMax = 64;
export const stopSequencesMax = 4;
export const userLengthMax = 128;
