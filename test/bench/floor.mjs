/** The floor: a bare `ws` + JSON server with the gateway's envelopes and none of its duties. Runs as its own process.
 *  Plain JavaScript, so that its start is not slowed by type stripping.
 *  `bench.payload` sets the answer of a method, `bench.fanout` broadcasts one event. */
import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
const sockets = new Set();
const payloads = new Map();

server.on("connection", (socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.send(
    JSON.stringify({ type: "event", event: "connect.challenge", payload: { nonce: randomUUID(), ts: Date.now() } }),
  );
  socket.on("message", (data) => {
    const { id, method, params } = JSON.parse(data.toString());
    if (method === "bench.payload") payloads.set(params.method, params.payload);
    if (method === "bench.fanout") {
      const text = JSON.stringify({ type: "event", event: "chat", payload: params.payload });
      for (const other of sockets) other.send(text);
    }
    socket.send(JSON.stringify({ type: "res", id, ok: true, payload: payloads.get(method) ?? {} }));
  });
});
server.on("listening", () => {
  const address = server.address();
  if (typeof address === "object" && address)
    console.log(`listening on ws://127.0.0.1:${address.port} (PID ${process.pid})`);
});
process.on("SIGTERM", () => process.exit(0));
