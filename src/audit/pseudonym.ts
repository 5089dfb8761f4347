import { createHmac } from 'node:crypto';

/**
 * The name an account has in the audit and in verifications: HMAC-SHA-256 of the account id, hex.
 * Once the account's key is erased, nobody can tell which account it was, not even by trying every id.
 * @param accountPseudonymKey the account's own 32 random bytes
 */
export function pseudonym(accountPseudonymKey: Uint8Array, accountId: string): string {
  return createHmac('sha256', accountPseudonymKey).update(accountId).digest('hex');
}
