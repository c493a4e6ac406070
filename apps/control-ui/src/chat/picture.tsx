import { useState } from "preact/hooks";
import { Dialog } from "../ui/index.ts";

/** A picture that opens large. */
export function Picture({ src, name }: { src: string; name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="picture" aria-label={`Open ${name}`} onClick={() => setOpen(true)}>
        <img src={src} alt={name} />
      </button>
      {open && (
        <Dialog title={name} onClose={() => setOpen(false)} class="lightbox">
          <img src={src} alt={name} />
        </Dialog>
      )}
    </>
  );
}
