// The records of a DNS answer.
import type { Message } from "./body";
import { Table } from "./table";

interface DnsRecord {
  name: string;
  type: string;
  ttl: number;
  data: string;
}

const PARTS = [
  ["answers", "Answers"],
  ["authority", "Authority"],
  ["additional", "Additional"],
] as const;

export function Records({ message }: { message: Message }) {
  return (
    <>
      {PARTS.map(([part, title]) => {
        const records = (message[part] ?? []) as DnsRecord[];
        return (
          records.length > 0 && (
            <section key={part}>
              <h3>{title}</h3>
              <Table
                head={["Name", "Type", "Seconds to keep", "Data"]}
                rows={records.map(({ name, type, ttl, data }) => [name, type, String(ttl), data])}
              />
            </section>
          )
        );
      })}
    </>
  );
}
