// Colours the listings of the rule language in the book.
(function () {
    "use strict";

    var words = "namespace|import|export|to|for|in|if|else";
    // Words only where nothing makes them a name.
    var contextual = "resource|network|switch|link|route|via|template|def|include|as|minimise|minimize|soft|all|vms|nodes|by|tagged|named|with" +
        "|on|running|sleeping|ready|online|offline";
    var kinds = [
        ["comment", /^#![^\n]*|\/\/[^\n]*/],
        ["string", /(?:vm)?"(?:\\.|[^"\\\n])*"/],
        ["symbol", /@(?:"(?:\\.|[^"\\\n])*"|[A-Za-z0-9]*(?:[._-]+[A-Za-z0-9]+)*-?)/],
        ["variable", /\$[A-Za-z](?:[A-Za-z0-9_]|\.(?=[A-Za-z0-9]))*/],
        ["number", /\b(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?)\b/],
        ["keyword", new RegExp("\\b(?:" + words + ")\\b(?!\\.)")],
        ["title", /\b[A-Za-z](?:[A-Za-z0-9_]|\.(?=[A-Za-z]))*(?=\s*\()/],
        ["keyword", new RegExp("\\b(?:" + contextual + ")\\b(?![\\[.])(?=\\s*(?:[A-Za-z0-9\"@${;]|$))")],
        ["name", /\b[A-Za-z](?:[A-Za-z0-9_]|\.(?=[A-Za-z]))*/],
        ["operator", />>|&&|\|\||[=!<>]=|[-+*/%^!#=<>]|\.\./],
    ];
    var any = new RegExp(kinds.map(function (kind) { return "(" + kind[1].source + ")"; }).join("|"), "g");

    function escaped(text) {
        return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    }

    function coloured(text, kind) {
        if (kind === "name") { return escaped(text); }
        return "<span class=\"hljs-" + kind + "\">" + escaped(text) + "</span>";
    }

    // The end of a comment `/* … */`, which may hold others.
    function commentEnd(text, from) {
        var depth = 0;
        for (var at = from; at < text.length; at++) {
            var two = text.substr(at, 2);
            if (two === "/*") { depth++; at++; }
            if (two === "*/") { depth--; at++; }
            if (depth === 0) { return at + 1; }
        }
        return text.length;
    }

    function highlighted(text) {
        var html = "";
        var at = 0;
        while (at < text.length) {
            any.lastIndex = at;
            var match = any.exec(text);
            var comment = text.indexOf("/*", at);
            if (comment >= 0 && (!match || comment <= match.index)) {
                var end = commentEnd(text, comment);
                html += escaped(text.slice(at, comment)) + coloured(text.slice(comment, end), "comment");
                at = end;
                continue;
            }
            if (!match) { break; }
            var kind = 1;
            while (match[kind] === undefined) { kind++; }
            html += escaped(text.slice(at, match.index)) + coloured(match[0], kinds[kind - 1][0]);
            at = match.index + match[0].length;
        }
        return html + escaped(text.slice(at));
    }

    if (typeof module !== "undefined") {
        module.exports = highlighted;
        return;
    }
    document.querySelectorAll("code.language-btrp").forEach(function (code) {
        code.innerHTML = highlighted(code.textContent);
        code.classList.add("hljs");
    });
})();
