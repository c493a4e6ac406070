import { fuzzMethods } from "./methods.ts";
process.on("unhandledRejection", (e) => console.log("UNHANDLED", e));
const r = await fuzzMethods({ seed: Number(process.argv[2] ?? 1), perMethod: Number(process.argv[3] ?? 20), budgetMs: 60000 });
console.log(JSON.stringify(r, null, 1));
process.exit(0);
