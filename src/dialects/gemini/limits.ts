/** What the format itself limits, and the word it takes in place of a signature it never gave. */
export const toolNameLengthMax = 64;
export const stopSequencesMax = 5;

/** Documented for calls whose signature is lost or was never this provider's. */
export const skippedSignature = 'skip_thought_signature_validator';
