/** What the fake provider says, in words that fit all four wires. */
export type Api = "openai-completions" | "openai-responses" | "anthropic-messages" | "google-generative-ai";

/** One thing that happens while an answer streams. A bare string is a piece of text. */
export type Step =
  | string
  | { text: string }
  | { thinking: string; signature?: string }
  /** `arguments` as a string goes out as it is, valid JSON or not (not possible on the Google wire). */
  | { toolCall: { id?: string; name: string; arguments: Record<string, unknown> | string } }
  | { delayMs: number }
  /** An error event inside the stream, in the wire's own shape; nothing follows. */
  | { error: { type: string; message: string; code?: number } }
  /** These bytes, as they are. */
  | { raw: string }
  /** The socket is destroyed. */
  | { die: true }
  /** The stream ends properly as HTTP, but without the wire's end marks. */
  | { cut: true }
  /** Nothing more comes; the connection stays open. */
  | { hang: true };

export interface Usage {
  input: number;
  output: number;
  cacheRead?: number;
}

export interface Answer {
  steps: Step[];
  /** `false`: the wire's usage fields are left out. Default 10 in, 5 out. */
  usage?: Usage | false;
  /** Default `stop`, or what the wire says after tool calls. */
  stop?: "stop" | "length" | "content_filter";
}

/** A plain HTTP answer instead of a stream. An object body becomes JSON. */
export interface Refusal {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export type Reply = Step[] | Answer | Refusal | { noHeaders: true };

export interface FakeRequest {
  api: Api;
  /** 0 for the first request. */
  index: number;
  path: string;
  headers: Record<string, string>;
  model: string;
  body: Record<string, unknown>;
  /** The body as text, for quick searches. */
  raw: string;
}

/** One reply per request, the last one for all that follow; or a function of the request. */
export type Script = Reply[] | ((request: FakeRequest) => Reply | Promise<Reply>);

export const isRefusal = (reply: Reply): reply is Refusal => "status" in reply;

export const toAnswer = (reply: Step[] | Answer): Answer => (Array.isArray(reply) ? { steps: reply } : reply);
