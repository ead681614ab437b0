# The steps of .ci/run by their names; `just` lists them.

default:
    @just --list

# Everything that must pass before a change lands.
ci:
    .ci/run

# Formatting, also of files behind macros.
format:
    .ci/run format

# Clippy, warnings denied.
lint:
    .ci/run lint

# All tests of the workspace.
test:
    .ci/run test

# The documentation, warnings denied.
docs:
    .ci/run docs

# Runs the commands of README.md.
readme:
    .ci/run readme

# The talk's example.
talk:
    cargo run --release -- plan models/talk/talk.json

# Micro-benchmarks.
micro *FILTER:
    cargo bench --bench micro -- {{FILTER}}

# Whole-process benchmark over the data folder and generated instances.
corpus *OPTIONS:
    cargo bench --bench corpus -- {{OPTIONS}}
