/** Connections of which nobody knows yet who is behind them, from accept to the first secret or upgrade (R-SLOW-1): bounded in all
 *  and, while they say nothing, per address. What is over the bound is closed without a word. */
import type { Socket } from "node:net";
import type { World } from "../kernel/world.ts";
import { plainAddress } from "./locality.ts";
import { type Place, Unauthenticated } from "./unauthenticated.ts";

export class Newcomers {
  readonly #unauthenticated: Unauthenticated;
  /** By the peer's address and port: with TLS, accept and request know different sockets of one connection. */
  readonly #places = new Map<string, Place>();

  constructor(world: World) {
    this.#unauthenticated = new Unauthenticated(world);
  }

  get count(): number {
    return this.#unauthenticated.count;
  }

  /** A connection was accepted. */
  enter(socket: Socket): void {
    const key = keyOf(socket);
    const place = this.#unauthenticated.enter(plainAddress(socket.remoteAddress), () => socket.destroy());
    if (!place) return void socket.destroy();
    this.#places.set(key, place);
    socket.once("close", () => {
      place.release();
      if (this.#places.get(key) === place) this.#places.delete(key);
    });
  }

  /** A whole head of a request came. */
  spoke(socket: Socket): void {
    this.#places.get(keyOf(socket))?.spoke();
  }

  /** The connection is known now, or counted elsewhere. */
  release(socket: Socket): void {
    const key = keyOf(socket);
    this.#places.get(key)?.release();
    this.#places.delete(key);
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
