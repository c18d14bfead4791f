// Which colour and dash an endpoint has; it keeps them while others come and go.
import { useRef } from "preact/hooks";
import { numbered } from "./share";

export function useStyles(keys: readonly string[]): ReadonlyMap<string, number> {
  const styles = useRef<ReadonlyMap<string, number>>(new Map());
  styles.current = numbered(styles.current, keys);
  return styles.current;
}
