/** Names under which networks withhold a number (RFC 3323, section 4.1.1.3, and what gateways write). */
const withheld = /^(anonymous|unavailable|unknown|restricted|private|withheld|undefined|null)?$/i;

/**
 * The caller's line in what a gateway or an operator names: the number in a `tel:` or `sip:` address, so that one line is one line whatever
 * trunk it comes by; null where it is withheld, since all who withhold theirs would count as one. Its own result stays as it is.
 */
export function lineNumberOf(given: string | null | undefined): string | null {
  const address = /^(?:tel|sips?):([^;?]*)/i.exec(given ?? '')?.[1] ?? given ?? '';
  const user = address.split('@', 1)[0] ?? '';
  const number = user.replace(/[-.() ]/g, '');
  if (withheld.test(user) || /@anonymous\.invalid$/i.test(address)) return null;
  return /^\+?[0-9]+$/.test(number) ? number : address;
}
