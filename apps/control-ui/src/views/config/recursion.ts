/** Settings hold settings: the parts of the form reach the whole of it, and the way to the text, from here. */
import { createContext, type ComponentType } from "preact";
import { useContext } from "preact/hooks";
import type { Path, Schema } from "./schema.ts";

export interface SettingProps {
  path: Path;
  schema: Schema;
  /** A path whose groups are open from the start. */
  open: Path;
  /** Shown away from its section: with its whole path. */
  named?: boolean;
}

export interface ControlAttributes {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
  disabled: boolean;
}

interface FormParts {
  Setting: ComponentType<SettingProps>;
  /** Goes to the text, for what the form cannot show. */
  openRaw: () => void;
}

const Parts = createContext<FormParts | undefined>(undefined);
export const FormPartsProvider = Parts.Provider;

export function useFormParts(): FormParts {
  const parts = useContext(Parts);
  if (!parts) throw new Error("useFormParts outside of the form");
  return parts;
}
