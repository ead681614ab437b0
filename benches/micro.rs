//! Micro-benchmarks: reading, compiling, the hot propagators, ordering, checking. Nothing is
//! decided by them alone; `corpus` measures what users wait for.
//!
//! `cargo bench --bench micro`

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use quadrille::Instance;
use quadrille::Options;
use quadrille::Plan;
use quadrille::compile;
use quadrille::compile::Compiled;
use quadrille::format;
use quadrille::format::ReadOptions;
use quadrille::format::WriteOptions;
use quadrille::generate;
use quadrille::generate::Scenario;
use quadrille::generate::Spec;
use quadrille::model::Configuration;
use quadrille::plan;
use quadrille::problem::NONE;
use quadrille::problem::Packing;
use quadrille::propagator::Ledger;
use quadrille::propagator::Moment;
use quadrille::script::Memory;
use quadrille::script::Program;
use quadrille::search::presolve;
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
fn compiling(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    bencher.counter(ItemsCount::new(nodes * 5)).bench(|| compile::compile(&instance));
}

fn compiled(instance: &Instance) -> Compiled {
    compile::compile(instance).expect("a sound instance")
}

/// The bounds, and what must move.
#[divan::bench(args = SIZES)]
fn presolving(bencher: Bencher<'_, '_>, nodes: u32) {
    let compiled = compiled(&instance(nodes));
    bencher.counter(ItemsCount::new(nodes * 5)).bench(|| presolve::analyse(&compiled.problem));
}

/// Everything where it is at the start.
fn filled(packing: &Packing) -> Ledger<'_> {
    let mut ledger = Ledger::new(packing, Moment::Now);
    for (item, row) in (0u32..).zip(&packing.items) {
        if row.source != NONE {
            let size = ledger.size_of(item);
            ledger.add(item, row.source, size);
        }
    }
    ledger
}

/// Loads, counts and relations of all items, built from nothing.
#[divan::bench(args = SIZES)]
fn filling_a_ledger(bencher: Bencher<'_, '_>, nodes: u32) {
    let compiled = compiled(&instance(nodes));
    let packing = &compiled.problem.packing;
    bencher.counter(ItemsCount::new(packing.items.len())).bench(|| filled(packing));
}

/// May this item enter that bin? Asked for each placement tried.
#[divan::bench(args = SIZES)]
fn asking_a_ledger(bencher: Bencher<'_, '_>, nodes: u32) {
    const QUESTIONS: usize = 10_000;
    let compiled = compiled(&instance(nodes));
    let packing = &compiled.problem.packing;
    let ledger = filled(packing);
    let (items, bins) = (packing.items.len(), packing.bins.len());
    bencher.counter(ItemsCount::new(QUESTIONS)).bench(|| {
        // Strides without a common divisor with the sizes visit pairs that are far apart.
        let pairs = (0..QUESTIONS).map(|at| ((at * 7_919 % items) as u32, (at * 104_729 % bins) as u32));
        pairs.filter(|&(item, bin)| ledger.may_enter(item, bin, ledger.size_of(item)).is_ok()).count()
    });
}

/// An item leaves its bin and comes back.
#[divan::bench(args = SIZES)]
fn changing_a_ledger(bencher: Bencher<'_, '_>, nodes: u32) {
    const CHANGES: usize = 10_000;
    let compiled = compiled(&instance(nodes));
    let packing = &compiled.problem.packing;
    let mut ledger = filled(packing);
    let placed: Vec<u32> =
        (0u32..).zip(&packing.items).filter(|(_, row)| row.source != NONE).map(|(item, _)| item).collect();
    bencher.counter(ItemsCount::new(CHANGES)).bench_local(|| {
        for at in 0..CHANGES {
            let item = placed[at * 7_919 % placed.len()];
            let bin = packing.items[item as usize].source;
            let size = ledger.size_of(item);
            ledger.remove(item, bin, size);
            ledger.add(item, bin, size);
        }
    });
}

/// A plan for an instance, not necessarily a good one.
fn planned(instance: &Instance) -> Plan {
    let options = Options { step_limit: Some(200_000), ..Options::default() };
    let outcome = quadrille::solve(instance, &options).expect("a sound instance");
    outcome.plan.expect("three quarters full is easy")
}

#[divan::bench(args = SIZES)]
fn ordering_a_plan(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    let compiled = compiled(&instance);
    let plan = planned(&instance);
    bencher.counter(ItemsCount::new(plan.actions.len())).with_inputs(|| plan.clone()).bench_refs(|plan| {
        plan::order(&instance, &compiled.posted, plan);
    });
}

#[divan::bench(args = SIZES)]
fn verifying_a_plan(bencher: Bencher<'_, '_>, nodes: u32) {
    let instance = instance(nodes);
    let plan = planned(&instance);
    bencher
        .counter(ItemsCount::new(plan.actions.len()))
        .bench(|| verify::verify(&instance, &plan, &VerifyOptions::default()));
}

/// A cluster as rules would declare it: 5 VMs a node, and 20 constraints a node, each a
/// statement of its own or made in a loop.
fn script(nodes: u32) -> String {
    use std::fmt::Write as _;
    let vms = nodes * 5;
    let mut text = format!(
        "resource cpu;\n@n[1..{nodes}] : node<cpu=16> online;\nVM[1..{vms}] : small<cpu=1>;\n\
         $some = @n[1..{nodes}] - @n1;\nban(VM[1..{vms}], @n1);\nfence(VM[1..{vms}], $some);\n\
         for $t in VM[1..{vms}] % 5 {{ >>spread($t); for $vm in $t {{ root($vm); }} }}\n"
    );
    for at in 1..=4 * nodes {
        writeln!(text, "spread({{VM{at}, VM{}}});", at + 1).expect("there is room");
    }
    text
}

/// From the text of a rule file to an instance: 100,000 constraints at the largest size.
#[divan::bench(args = SIZES)]
fn parsing_and_lowering_rules(bencher: Bencher<'_, '_>, nodes: u32) {
    let files = Memory::default().with("rules.btrp", script(nodes));
    bencher.counter(ItemsCount::new(nodes * 20)).bench(|| {
        let program = Program::load(&["rules.btrp".into()], &[], &files);
        let built = program.apply(None).expect("sound rules");
        assert_eq!(built.instance.constraints().len(), nodes as usize * 20);
        built
    });
}

/// The same without reading the text.
#[divan::bench(args = SIZES)]
fn lowering_rules(bencher: Bencher<'_, '_>, nodes: u32) {
    let files = Memory::default().with("rules.btrp", script(nodes));
    let program = Program::load(&["rules.btrp".into()], &[], &files);
    bencher.counter(ItemsCount::new(nodes * 20)).bench(|| program.apply(None).expect("sound rules"));
}
