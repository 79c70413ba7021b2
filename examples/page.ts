/** The frame of the examples' pages. Nothing here knows of experiments. */

const style = `
  body { font: 17px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 42rem; padding: 2rem; color: #222 }
  header, footer { color: #777; font-size: 0.85em } h1 { line-height: 1.2 }
  .price { font-size: 1.4em } .buy { font: inherit; padding: 0.6em 1.4em; border: 0; border-radius: 0.4em; background: #ddd }
  .standfirst { color: #555; font-size: 1.1em }`;

export function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header><a href="/examples/shop">Shop</a> · <a href="/examples/blog">Blog</a></header>
${content}
<footer><p>Experiments know you by a cookie. <a href="/examples/another-visitor">Be another visitor</a></p></footer>
</body>
</html>
`;
}
