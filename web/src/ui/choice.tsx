// One of a few: a row of buttons of which one is pressed, as radio buttons are.
import "./choice.css";

export interface Choosable<T> {
  value: T;
  text: string;
}

interface Props<T> {
  label: string;
  name: string;
  options: readonly Choosable<T>[];
  chosen: T;
  onChoose: (value: T) => void;
}

export function Choice<T extends string | number>(props: Props<T>) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{props.label}</legend>
      {props.options.map(({ value, text }) => (
        <label key={value}>
          <input
            type="radio"
            name={props.name}
            checked={value === props.chosen}
            onChange={() => props.onChoose(value)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
