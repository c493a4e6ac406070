/** Puts the parts together: sockets come in, log in or are linked, and their stanzas go where they belong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { proto } from "baileys";
import { WebSocketServer } from "ws";
import type { FakeWhatsApp, StartOptions } from "./api.ts";
import type { Companion } from "./companion.ts";
import { answerControl } from "./control.ts";
import { faultApi, FaultState, streamError } from "./faults.ts";
import { InboundMail } from "./inbound.ts";
import { MediaServer } from "./media.ts";
import type { BinaryNode } from "./node.ts";
import { at, children, el, result, seconds } from "./node.ts";
import { makeTrust } from "./noise.ts";
import { OutboundMail } from "./outbound.ts";
import { Pairing } from "./pairing.ts";
import { People, userOf } from "./people.ts";
import { phoneApi } from "./phone.ts";
import { answerQuery } from "./queries.ts";
import { Records } from "./record.ts";
import { Session } from "./session.ts";

const defaultNumber = "+15550001000";
const waitMs = 10_000;

export async function start(options: StartOptions = {}): Promise<FakeWhatsApp> {
  const trust = makeTrust();
  const record = new Records();
  const faults = new FaultState();
  const people = new People({ pn: options.number ?? defaultNumber, name: options.name ?? "Owner" });
  const companions: Companion[] = [];
  const sessions = new Set<Session>();
  const media = new MediaServer(faults, record);
  const inbound = new InboundMail({ people, companions, record, faults, media });
  const outbound = new OutboundMail({ people, record, faults, media, inbound });
  const pairing = new Pairing({ me: people.me, companions, record, refs: options.refs ?? 6 });
  const queryDeps = { people, companions, preKeys: options.preKeys ?? true, mediaHost: () => media.host };

  /** A client with credentials. */
  function login(session: Session, payload: proto.ClientPayload): void {
    const reason = faults.take("failure");
    if (reason !== undefined) return session.end(el("failure", { reason, location: "fake" }));
    const companion = companions.find(
      ({ device, noiseKey, removed }) =>
        !removed &&
        device === payload.device &&
        String(payload.username) === userOf(people.me.pn) &&
        noiseKey.equals(session.noiseKey),
    );
    if (!companion) return session.end(el("failure", { reason: 401, location: "fake" }));
    session.connection.state = "logged-in";
    session.connection.device = companion.device;
    if (faults.take("noSuccess") !== undefined) {
      session.pingsOnly = true;
      return;
    }
    // The newest connection wins, as at the real server.
    companion.session?.end(streamError({ conflict: "replaced" }));
    companion.session = session;
    session.companion = companion;
    const t = seconds(Date.now());
    // Where to connect next time: makes the client send routing info ahead of its header.
    session.send(el("ib", {}, [el("edge_routing", {}, [el("routing_info", {}, Buffer.from("fake-edge"))])]));
    session.send(el("success", { t, lid: companion.lid, display_name: people.me.name, props: 1, abprops: 1 }));
  }

  async function query(session: Session, companion: Companion, node: BinaryNode): Promise<void> {
    const child = children(node)[0]?.tag ?? "";
    if (faults.muted.has(child) || faults.muted.has(node.attrs["xmlns"] ?? "")) return;
    if (at(node, "remove-companion-device")) {
      session.send(result(node));
      return removeCompanion(companion);
    }
    const name = `${node.attrs["xmlns"]} ${child}`;
    record.queries[name] = (record.queries[name] ?? 0) + 1;
    const answer = answerQuery(queryDeps, companion, node);
    if (!answer) record.unknown.push(`${node.attrs["type"]} ${name}`);
    session.send(answer ?? result(node));
    if (at(node, "active") && session.connection.state !== "active") {
      session.connection.state = "active";
      inbound.flush(companion);
      if ((options.history ?? true) && !companion.historySent) {
        companion.historySent = true;
        await inbound.history(companion, { syncType: 0, conversations: [], phoneNumberToLidMappings: [] });
      }
    }
    record.changed();
  }

  async function receive(session: Session, node: BinaryNode): Promise<void> {
    if (node.tag === "iq" && node.attrs["xmlns"] === "w:p") return void session.send(result(node));
    if (session.pingsOnly) return;
    const { companion } = session;
    if (!companion) return registration(session, node);
    switch (node.tag) {
      case "iq":
        return node.attrs["type"] === "result" ? undefined : query(session, companion, node);
      case "message":
        return outbound.receive(session, companion, node);
      case "receipt":
        return inbound.receipt(companion, node);
      case "ack":
        return inbound.ack(companion, node);
      case "presence":
        record.presence.push({ type: node.attrs["type"] ?? "name", at: Date.now() });
        return record.changed();
      case "chatstate":
        record.presence.push({ type: children(node)[0]?.tag ?? "", to: node.attrs["to"] ?? "", at: Date.now() });
        return record.changed();
      case "ib":
        return;
      default:
        record.unknown.push(node.tag);
        record.changed();
    }
  }

  async function registration(session: Session, node: BinaryNode): Promise<void> {
    if (node.tag !== "iq") return;
    if (at(node, "pair-device-sign")) return pairing.signed(session, node);
    const stage = at(node, "link_code_companion_reg")?.attrs["stage"];
    if (stage === "companion_hello") return pairing.companionHello(session, node);
    if (stage === "companion_finish") return pairing.companionFinish(session, node);
  }

  function removeCompanion(companion: Companion): void {
    companion.removed = true;
    companion.session?.end(streamError({ conflict: "device_removed" }));
    record.changed();
  }

  const sockets = new Set<Duplex>();
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const deps = {
    trust,
    faults,
    record,
    receive,
    admit: async (session: Session, payload: proto.ClientPayload) =>
      payload.devicePairingData ? pairing.register(session, payload) : login(session, payload),
    closed: (session: Session) => {
      sessions.delete(session);
      pairing.gone(session);
      if (session.companion?.session === session) session.companion.session = undefined;
    },
  };
  const control = createServer((request, response) => void answerControl(fake, request, response));
  const http = createServer((_request, response) => void response.writeHead(404).end());
  http.on("connection", (socket) => {
    if (faults.cut) return void socket.resetAndDestroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  http.on("upgrade", (request, socket: Socket, head) => {
    socket.setNoDelay(true);
    const refused = faults.take("refuseUpgrade");
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} Refused\r\ncontent-length: 0\r\n\r\n`);
    webSockets.handleUpgrade(request, socket, head, (opened) => {
      sessions.add(new Session(opened, socket, deps));
      record.changed();
    });
  });
  const [port, controlPort] = await Promise.all([listen(http, options.port), listen(control), media.start()]);

  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "fake-whatsapp-"));
  const caFile = join(folder, "media-ca.pem");
  writeFileSync(caFile, media.ca);
  const ledger = async () => structuredClone(record.view(companions));
  const fake: FakeWhatsApp = {
    url: `ws://127.0.0.1:${port}/ws/chat`,
    port,
    controlUrl: `http://127.0.0.1:${controlPort}/control`,
    mediaUrl: `https://${media.host}`,
    certKey: Buffer.from(trust.rootKey).toString("base64"),
    ca: media.ca,
    caFile,
    phone: phoneApi({ people, companions, record, inbound, outbound, pairing, media, removeCompanion }),
    faults: faultApi(faults, sessions),
    ledger,
    until: (check, what, timeoutMs = waitMs) => {
      const found = (value: unknown) => value !== undefined && value !== false;
      // Copied only once there is something to give away.
      const look = () => found(check(record.view(companions))) && check(structuredClone(record.view(companions)));
      return record.until(look, what, timeoutMs);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      webSockets.close();
      control.closeAllConnections();
      await Promise.all([media.close(), closed(http), closed(control)]);
      rmSync(options.folder ? caFile : folder, { recursive: true, force: true });
    },
  };
  return fake;
}

/** On loopback. Resolves with the port. */
function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
