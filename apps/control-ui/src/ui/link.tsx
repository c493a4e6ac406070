import type { JSX } from "preact";
import { useApp } from "../app/app.ts";

/** A link inside the app: a real one, so that middle click, copy and keyboard work. */
export function Link({
  href,
  children,
  ...rest
}: Omit<JSX.AnchorHTMLAttributes<HTMLAnchorElement>, "href"> & { href: string }) {
  const { router } = useApp();
  return (
    <a href={href} onClick={(event) => router.follow(event, href)} {...rest}>
      {children}
    </a>
  );
}
