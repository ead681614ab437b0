//! Micro-benchmarks: reading, writing, generating, checking. Nothing is decided by them alone;
//! `corpus` measures what users wait for.
//!
//! `cargo bench --bench micro`

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use quadrille::Instance;
use quadrille::Options;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::format::WriteOptions;
use quadrille::generate;
use quadrille::generate::Scenario;
use quadrille::generate::Spec;
use quadrille::model::Configuration;
use quadrille::verify;
use quadrille::verify::VerifyOptions;

fn main() {
    divan::main();
}

/// Numbers of nodes; each runs five VMs.
const SIZES: [u32; 3] = [100, 1_000, 5_000];

fn instance(nodes: u32) -> Instance {
    let spec =
        Spec { nodes, vms: nodes * 5, seed: 1, scenario: Scenario::Mixed, rack: 50, ..Spec::default() };
    generate::generate(&spec).expect("five VMs a node fit")
}

#[divan::bench(args = SIZES)]
fn generating(bencher: Bencher<'_, '_>, nodes: u32) {
    bencher.counter(ItemsCount::new(nodes * 5)).bench(|| instance(nodes));
}

#[divan::bench(args = SIZES)]
fn reading_quadrille(bencher: Bencher<'_, '_>, nodes: u32) {
    let text = format::native::write_instance(&instance(nodes)).expect("our own format says everything");
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| format::read_instance(text.as_bytes(), &ReadOptions::default()));
}

#[divan::bench(args = SIZES)]
fn reading_btrplace(bencher: Bencher<'_, '_>, nodes: u32) {
    let written = format::btrplace::write_instance(&instance(nodes), &WriteOptions { lossy: true });
    let text = written.expect("what BtrPlace cannot say is left out").text;
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| format::read_instance(text.as_bytes(), &ReadOptions::default()));
}

#[divan::bench(args = SIZES)]
fn configuration(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    bencher.counter(ItemsCount::new(nodes * 5)).bench(|| Configuration::source(&instance));
}

#[divan::bench(args = SIZES)]
fn verifying_the_source(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    bencher.counter(ItemsCount::new(nodes * 5)).bench(|| verify::verify_source(&instance));
}

#[divan::bench(args = SIZES)]
fn verifying_a_plan(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    let options = Options { step_limit: Some(200_000), ..Options::default() };
    let outcome = quadrille::solve(&instance, &options).expect("a sound instance");
    let plan = outcome.plan.expect("three quarters full is easy");
    bencher
        .counter(ItemsCount::new(plan.actions.len()))
        .bench(|| verify::verify(&instance, &plan, &VerifyOptions::default()));
}
