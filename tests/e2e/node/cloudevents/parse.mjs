// Parses HTTP requests with the npm package cloudevents, which checks them against the schema of
// CloudEvents 1.0: reads a JSON list of {headers, body} (body in base64) from stdin, prints a JSON
// list with, for each, a list of its events or {error}.
import { readFileSync } from "node:fs";
import { HTTP } from "cloudevents";

function parse({ headers, body }) {
    try {
        const bytes = Buffer.from(body, "base64");
        const type = headers["content-type"] ?? "";
        const isText = /^(text\/|application\/(.*\+)?json)/i.test(type);
        const events = HTTP.toEvent({ headers, body: isText ? bytes.toString() : bytes });
        return [events].flat().map((event) => {
            event.validate();
            return event.toJSON();
        });
    } catch (error) {
        return { error: `${error.message} ${JSON.stringify(error.errors ?? "")}` };
    }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(parse)));
