// The kernel's slots: for each address of a Service the numbered boxes that a connection falls into.
import { services } from "../live";
import type { ServiceView } from "../messages";
import { Severity } from "../ui/severity";
import { isHeadless } from "./kinds";
import { ruleInWords, type Slot, type SlotGroup, slotGroups } from "./slot-groups";
import "./slots.css";

export function Slots({ service }: { service: ServiceView }) {
  const groups = slotGroups(service);
  return (
    <>
      <h3>The kernel's slots</h3>
      {groups.length === 0 ? (
        <p class="about">{whyNone(service)}</p>
      ) : (
        groups.map((group) => (
          <Group key={`${group.nodes} ${group.fronts} ${group.external}`} group={group} />
        ))
      )}
      {services.value?.unread.map(({ node, why }) => (
        <p class="about" key={node}>
          The kernel of {node} could not be read: {why}
        </p>
      ))}
    </>
  );
}

function Group({ group }: { group: SlotGroup }) {
  return (
    <div class="slot-group">
      <p>
        <strong>{group.nodes.join(", ")}</strong>:{" "}
        {group.fronts.length > 1 ? "for each of " : "for "}
        <span class="fronts">
          {group.fronts.map((front) => (
            <code key={front}>{front}</code>
          ))}
        </span>
        {group.external && " from clients outside the node and its Pods"}
      </p>
      {group.drift && (
        <p>
          <Severity level="error" bare /> Not what the proxy wrote: {group.drift}
        </p>
      )}
      <p class="rule" data-rule={group.rule}>
        {ruleInWords(group.rule, group.slots.length)}
      </p>
      {group.slots.length > 0 && (
        <ol class="slots" start={0}>
          {group.slots.map((slot, number) => (
            <Box key={`${number} ${slot.address}`} slot={slot} number={number} />
          ))}
        </ol>
      )}
      {group.missing.length > 0 && (
        <p class="about">Ready, but not among these: {group.missing.join(", ")}.</p>
      )}
    </div>
  );
}

function Box({ slot, number }: { slot: Slot; number: number }) {
  return (
    <li data-drifted={slot.drifted}>
      <span class="number">
        <span class="unseen">Slot </span>
        {number}
      </span>
      <span class="pod">
        {slot.endpoint?.name || "no endpoint"}
        <code>{slot.address}</code>
        {slot.drifted && (
          <span class="drift">
            <Severity level="error" bare /> drift: {drift(slot)}
          </span>
        )}
      </span>
    </li>
  );
}

function drift(slot: Slot): string {
  if (!slot.endpoint || slot.endpoint.gone) return "the Service has no such endpoint";
  return "it is not ready";
}

function whyNone(service: ServiceView): string {
  if (service.service_type === "ExternalName")
    return "None: the name leads elsewhere, and no packet for it concerns the kernel.";
  if (isHeadless(service))
    return "None: the Service is headless. Its name leads straight to the Pods, past the kernel's tables.";
  return "No node has said yet what its kernel holds for this Service.";
}
