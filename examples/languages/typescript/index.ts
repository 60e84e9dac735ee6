// The same stack as the repository's own program, from TypeScript: one component, three exports.
import * as fs from "fs";
import * as pulumi from "@pulumi/pulumi";
import * as sluice from "@pulumi/sluice";

const config = new pulumi.Config();

const stack = new sluice.Sluice("sluice", {
    endpoints: {
        triage: {
            release: JSON.parse(fs.readFileSync(config.require("release"), "utf8")),
            policy: config.get("policy") ?? "standard",
            instances: 1,
        },
    },
    protect: config.getBoolean("protect") ?? true,
});

// The contract with application teams, under the names they read it by.
export const contract_version = stack.contractVersion;
export const endpoints = stack.endpoints;
export const control_plane = stack.controlPlane;
