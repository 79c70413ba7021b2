/** What a user agent says of itself. For breaking results down and for leaving out automated traffic, never for security. */

/**
 * Programs that browse by themselves and say so. Plain HTTP clients (curl, okhttp, python-requests …) are not among them,
 * because apps are made with those.
 */
const bots = new RegExp(
  [
    // Crawlers; Cubot makes telephones.
    "(?<!cu)bot(?![a-z])|crawl|spider|slurp|scrapy|httrack|heritrix|nutch|ia_archiver|feedfetcher|mediapartners",
    "googleother|google-(?:inspectiontool|read-aloud|extended|safety|adwords)|apis-google|chatgpt-user|perplexity",
    // Link previews.
    "facebookexternalhit|facebookcatalog|meta-external|embedly|whatsapp/|skypeuripreview|bingpreview|iframely",
    // Monitors and audits.
    "lighthouse|pagespeed|gtmetrix|pingdom|uptime|statuscake|site24x7|datadog|ahrefs|semrush|screaming frog|validator",
    // Automated browsers.
    "headless|phantomjs|puppeteer|playwright|selenium|webdriver",
  ].join("|"),
  "i",
);

const tablets = /ipad|tablet|kindle|silk\/|playbook|android(?!.*mobile)/i;
const phones = /mobile|iphone|ipod|blackberry|opera mini/i;

export function isBot(userAgent: string): boolean {
  return bots.test(userAgent);
}

export function deviceOf(userAgent: string): "mobile" | "tablet" | "desktop" {
  if (tablets.test(userAgent)) return "tablet";
  return phones.test(userAgent) ? "mobile" : "desktop";
}
