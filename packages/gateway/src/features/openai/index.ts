/** OpenAI's APIs on the gateway's port (http.md §7-10): models, chat completions and responses, answered by agents. Owns no table
 *  and no config section. A request is one run through the same door as every other; a client that leaves aborts only the run it
 *  waited for; what follows is bounded in number, size and time. Knows no socket: it declares routes. */
export { openAiApi, type OpenAiApi, type OpenAiConfig, type OpenAiOptions } from "./openai.ts";
export type { FetchFile } from "./image-reader.ts";
