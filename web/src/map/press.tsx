// What can be pressed in the picture: a link whose parts are lines and shapes.
import type { ComponentChildren } from "preact";

interface Props {
  /** Where it leads; "" for nowhere. */
  to: string;
  label: string;
  onPoint: (on: boolean) => void;
  onFocus: () => void;
  children: ComponentChildren;
}

export function Press({ to, label, onPoint, onFocus, children }: Props) {
  const pointing = {
    onPointerEnter: () => onPoint(true),
    onPointerLeave: () => onPoint(false),
  };
  if (!to) return <g {...pointing}>{children}</g>;
  return (
    <a
      href={to}
      aria-label={label}
      {...pointing}
      onFocus={() => {
        onPoint(true);
        onFocus();
      }}
      onBlur={() => onPoint(false)}
    >
      {children}
    </a>
  );
}
