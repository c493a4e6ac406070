/** Protocol handlers of the models room. */
import type { Handles } from "../../kernel/call.ts";
import type { Models } from "./models.ts";

const maxListed = 500;

export const modelMethods = (models: Models) =>
  ({
    "models.list": () => ({
      models: models
        .list()
        .slice(0, maxListed)
        .map(({ id, name, provider, contextWindow, reasoning, input }) => ({
          id,
          name,
          provider,
          contextWindow,
          reasoning,
          input,
        })),
    }),
  }) satisfies Handles<"models.list">;
