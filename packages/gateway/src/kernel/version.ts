/** The program's version. The build replaces it by a literal; from sources it is the one of the package. */
declare const OPENCLAW_VERSION: string | undefined;

/** The constant a build without `OPENCLAW_VERSION` reports; `test/house` keeps it equal to package.json. */
const sourceVersion = "2026.11.0";

export const VERSION: string = typeof OPENCLAW_VERSION === "string" ? OPENCLAW_VERSION : sourceVersion;
