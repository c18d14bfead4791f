import { expect, test } from "vitest";
import { curl, quoted } from "../../src/traffic/details/curl";
import { entry } from "./samples";

test("a request becomes a command", () => {
  const request = {
    method: "POST",
    url: "/pets?a=1",
    headers: { host: "web", "content-type": "application/json", "content-length": "14" },
    body: '{"name":"Rex"}',
  };
  expect(curl(entry({ request }))).toBe(
    `curl 'http://web/pets?a=1' -H 'content-type: application/json' --data-raw '{"name":"Rex"}'`,
  );
});

test("nothing that a stranger wrote is run by the shell", () => {
  expect(quoted("$(rm -rf ~)`x`")).toBe("'$(rm -rf ~)`x`'");
  expect(quoted("it's; id")).toBe("'it'\\''s; id'");
  expect(quoted("")).toBe("''");
});

test("methods that curl does not take by itself are named", () => {
  const command = (method: string) =>
    curl(entry({ request: { method, url: "/x", headers: { host: "web" } } }));
  expect(command("DELETE")).toBe("curl -X DELETE http://web/x");
  expect(command("HEAD")).toBe("curl -I http://web/x");
});

test("what curl does not speak, or bytes that were not kept, are no command", () => {
  expect(curl(entry({ protocol: "redis" }))).toBeNull();
  expect(curl(entry({ request: { body: "\ufffd", body_hex: "ff" } }))).toBeNull();
});
