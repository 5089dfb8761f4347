import { createHash, randomUUID } from 'node:crypto';

/** A token that opens a stream once: a random UUID (122 random bits), since AudioSocket can carry nothing else. */
export const drawToken = (): string => randomUUID();

/** What is kept of a token. @param token a UUID in any case */
export const sha256OfToken = (token: string): Buffer => createHash('sha256').update(token.toLowerCase()).digest();
