// Turns manifests into typed TypeScript literals, which `tsc --strict` then checks: a key that the
// type does not have, or a value of the wrong type, is a compile error.
//   node typed_check.mjs check.ts kubernetes FILE.yaml...
//   node typed_check.mjs check.ts dashboard FILE.json
import { readFileSync, writeFileSync } from "node:fs";
import yaml from "js-yaml";

const typesOf = {
    "apps/v1 Deployment": ["kubernetes-models/apps/v1/Deployment", "IDeployment"],
    "apps/v1 StatefulSet": ["kubernetes-models/apps/v1/StatefulSet", "IStatefulSet"],
    "autoscaling/v2 HorizontalPodAutoscaler": [
        "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler",
        "IHorizontalPodAutoscaler",
    ],
    "networking.k8s.io/v1 NetworkPolicy": [
        "kubernetes-models/networking.k8s.io/v1/NetworkPolicy",
        "INetworkPolicy",
    ],
    "v1 ConfigMap": ["kubernetes-models/v1/ConfigMap", "IConfigMap"],
    "v1 Service": ["kubernetes-models/v1/Service", "IService"],
    "policy/v1 PodDisruptionBudget": [
        "kubernetes-models/policy/v1/PodDisruptionBudget",
        "IPodDisruptionBudget",
    ],
    "monitoring.coreos.com/v1 PrometheusRule": [
        "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
        "IPrometheusRule",
    ],
    "monitoring.coreos.com/v1 ServiceMonitor": [
        "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor",
        "IServiceMonitor",
    ],
};

const [output, kind, ...files] = process.argv.slice(2);
const lines = [];
let count = 0;

function literal([module, type], value) {
    count += 1;
    lines.push(`import type { ${type} as Type${count} } from ${JSON.stringify(module)};`);
    // An enumerator is the one kind of value that a literal cannot stand for.
    const json = JSON.stringify(value, null, 2)
        .replaceAll('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
        .replaceAll('"type": "value"', '"type": MappingType.ValueToText');
    lines.push(`export const value${count}: Type${count} = ${json};`);
}

for (const file of files) {
    const text = readFileSync(file, "utf8");
    if (kind === "dashboard") {
        literal(["@grafana/schema", "Dashboard"], JSON.parse(text));
        lines.unshift('import { MappingType, ThresholdsMode } from "@grafana/schema";');
        continue;
    }
    for (const document of yaml.loadAll(text)) {
        const name = `${document.apiVersion} ${document.kind}`;
        if (!(name in typesOf)) {
            console.error(`${file}: no type is known for ${name}`);
            process.exit(1);
        }
        literal(typesOf[name], document);
    }
}
if (count === 0) {
    console.error("nothing to check");
    process.exit(1);
}
writeFileSync(output, lines.join("\n") + "\n");
