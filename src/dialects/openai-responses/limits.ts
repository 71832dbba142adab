/** What the format itself limits. */
export const toolNameLengthMax = 64;
export const outputTokensMin = 16;
export const userLengthMax = 128;
