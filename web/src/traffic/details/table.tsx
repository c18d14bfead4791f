// A small table of texts; columns in which nothing stands are left out.

export function Table({ head, rows }: { head: string[]; rows: string[][] }) {
  const used = head.map((_, column) => rows.some((row) => row[column]));
  return (
    <table class="table">
      <thead>
        <tr>{head.map((title, column) => used[column] && <th key={title}>{title}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((text, column) => used[column] && <td key={head[column]}>{text}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
