// Where the page begins.
import { render } from "preact";
import { App } from "./app";
import { connect } from "./live";
import { showUnseen } from "./ui/unseen";
import "./theme.css";

const root = document.getElementById("page");
if (!root) throw new Error("index.html has no element #page");
showUnseen();
render(<App />, root);
connect();
