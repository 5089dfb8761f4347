/** What may stand in an element: text, which is escaped, or an element. */
export type XmlNode = string | XmlElement;

/** An element to be written. */
export interface XmlElement {
  readonly name: string;
  /** Undefined ones are left out. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly children: readonly XmlNode[];
}

/** An element with its children; null stands for nothing. */
export function element(
  name: string,
  attributes: XmlElement['attributes'] = {},
  ...children: readonly (XmlNode | readonly XmlNode[] | null)[]
): XmlElement {
  return { name, attributes, children: children.flat().filter((child) => child !== null) };
}

/** A whole document. Names come from the program, texts and attributes may hold anything. */
export function writeXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${written(root)}\n`;
}

function written({ name, attributes, children }: XmlElement): string {
  const head = Object.entries(attributes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(value).replace(/["\t\n\r]/g, (found) => `&#${found.charCodeAt(0)};`)}"`)
    .join('');
  const inside = children.map((child) => (typeof child === 'string' ? escaped(child) : written(child))).join('');
  return inside === '' ? `<${name}${head}/>` : `<${name}${head}>${inside}</${name}>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };

/** Characters that XML 1.0 cannot hold (section 2.2), lone surrogates among them, become U+FFFD. */
const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>\r]/g, (found) => entities[found] ?? found);
