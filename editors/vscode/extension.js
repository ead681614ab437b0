// Starts `quadrille lsp` for rule files; everything else is done there.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
    const settings = vscode.workspace.getConfiguration("quadrille");
    const command = settings.get("path") || "quadrille";
    const initializationOptions = {};
    if (settings.get("include")?.length) {
        initializationOptions.include = settings.get("include");
    }
    if (settings.get("cluster")) {
        initializationOptions.cluster = settings.get("cluster");
    }
    client = new LanguageClient(
        "quadrille",
        "Quadrille",
        { command, args: ["lsp"] },
        { documentSelector: [{ language: "quadrille" }], initializationOptions },
    );
    try {
        await client.start();
    } catch (error) {
        client = undefined;
        vscode.window.showWarningMessage(
            `Quadrille: \`${command} lsp\` does not start (${error.message}). Colours work without it; ` +
                "the setting quadrille.path says where the command is.",
        );
    }
}

async function stop() {
    const running = client;
    client = undefined;
    await running?.stop();
}

async function activate(context) {
    context.subscriptions.push(
        vscode.commands.registerCommand("quadrille.restart", async () => {
            await stop();
            await start();
        }),
        vscode.workspace.onDidChangeConfiguration(async (event) => {
            if (event.affectsConfiguration("quadrille")) {
                await stop();
                await start();
            }
        }),
    );
    await start();
}

module.exports = { activate, deactivate: stop };
