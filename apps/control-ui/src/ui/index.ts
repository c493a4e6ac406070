/** The parts every view is made of. They know the design tokens and nothing of the gateway's methods. */
export { spoken, useAction, type Action } from "./action.ts";
export { Button, IconButton, type ButtonProps } from "./button.tsx";
export { Command, CopyButton, copyText } from "./copy.tsx";
export { Confirm, Dialog } from "./dialog.tsx";
export { Field, Select, Switch } from "./field.tsx";
export { Link } from "./link.tsx";
export { Loaded } from "./loaded.tsx";
export { Menu, type MenuItem } from "./menu.tsx";
export { Empty, ErrorNotice, Notice, Skeleton } from "./notice.tsx";
export { Card, Facts, Page, Section } from "./page.tsx";
export { SearchField } from "./search.tsx";
export { Segments } from "./segments.tsx";
export { Chip, Status, type Tone } from "./status.tsx";
export { Table, type Column } from "./table.tsx";
export { Ago, Clock, Countdown } from "./time.tsx";
export { Verbatim, VerbatimText } from "./verbatim.tsx";
export { Words } from "./words.tsx";
