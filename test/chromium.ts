/** The browser of the page tests: Chromium as the system has it. */

import { existsSync } from "node:fs";

const places = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser"];

export const chromiumPath = places.find((place) => place !== undefined && existsSync(place));

if (chromiumPath === undefined) {
  console.warn(
    "Pages are not tested in a browser: there is no Chromium. Install it (apt install chromium), or name it in CHROMIUM_PATH.",
  );
}

export const launchOptions = {
  ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
};

/** Chromium says that it is headless, and what says so is taken for automated traffic: visitors do not. */
export const visitorAgent =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
