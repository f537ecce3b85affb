// Verifies webhooks with the npm package standardwebhooks: reads a JSON list of
// {secret, headers, body} (body in base64) from stdin, prints a JSON list of "ok" or what was wrong.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

function verdict({ secret, headers, body }) {
    try {
        new Webhook(secret).verify(Buffer.from(body, "base64"), headers);
        return "ok";
    } catch (error) {
        return error.message;
    }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
