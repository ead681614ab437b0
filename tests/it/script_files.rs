//! Scripts of several files: imports, exports, documents; and what hostile ones get.

use crate::script::apply;
use crate::script::codes;
use crate::script::told;
use crate::script::with_elements;
use quadrille::script::Built;
use quadrille::script::Diagnostic;
use quadrille::script::Memory;
use quadrille::script::Program;
use quadrille::script::render;
use std::time::Duration;
use std::time::Instant;

const DATACENTER: &str = "namespace datacenter;
@node-[1..8,frontend] : xen<boot=60>;
$nodes = @node-[1..8,frontend];
for $n in $nodes { >>runningCapacity($n, 15); }
$R[1..3] = $nodes % 4; // racks of 4, 4 and 1 nodes
export $nodes, $R[1..3] to *;
";

const SHOP: &str = "namespace shop;
import datacenter;
VM[1..6] : small<clone>;
VM[7..8] : large;
$front = VM[1..6];
$back = VM[7,8];
for $t in {$front, $back} { spread($t); }
among($back, $datacenter.R[1..3]);
>>fence($front, $datacenter.nodes - {@node-frontend});
running($me);
if (#$front > 4 && #$back == 2) { lonely($me); } else { root($back); }
";

#[track_caller]
fn sound(files: &[(&str, &str)]) -> Built {
    match apply(files, None) {
        Ok(built) => built,
        Err(diagnostics) => panic!("{}", told(&diagnostics).join("\n")),
    }
}

fn wrong(files: &[(&str, &str)]) -> Vec<&'static str> {
    match apply(files, None) {
        Ok(built) => built.warnings.iter().map(|diagnostic| diagnostic.code).collect(),
        Err(diagnostics) => diagnostics.iter().map(|diagnostic| diagnostic.code).collect(),
    }
}

#[test]
fn the_shop_of_the_manual() {
    let built = sound(&[("shop.btrp", SHOP), ("datacenter.btrp", DATACENTER)]);
    let instance = built.instance;
    assert_eq!((instance.vm_count(), instance.node_count()), (8, 9));
    // Those of the datacenter stay there: 2 spread, among, 6 fence, 8 running, lonely.
    assert_eq!(instance.constraints().len(), 18);
    assert!(built.warnings.is_empty(), "{:?}", told(&built.warnings));
    assert_eq!(instance.vms().name(0), "shop.VM1");
    assert_eq!(instance.nodes().name(8), "node-frontend");
}

#[test]
fn both_files_may_be_asked_for() {
    let files = Memory::default().with("a/shop.btrp", SHOP).with("a/datacenter.btrp", DATACENTER);
    let program = Program::load(&["a/shop.btrp".into(), "a/./datacenter.btrp".into()], &[], &files);
    let built = program.apply(None).expect("sound");
    assert_eq!(built.instance.constraints().len(), 27);
}

#[test]
fn an_application_of_251_nodes() {
    let infrastructure = "namespace infra; @node-[1..250] : xen; @frontend : xen;
        $all = @node-[1..250]; $racks = $all % 50; export $all, $racks to app.*;";
    let text = "namespace app.web; import infra; VM[1..24] : tiny; $tiers = VM[1..24] / 3;
        for $t in $tiers { spread($t); } among(VM[1..8], $infra.racks); lonely(VM[9..16]);";
    let built = sound(&[("app/web.btrp", text), ("infra.btrp", infrastructure)]);
    let instance = built.instance;
    assert_eq!((instance.vm_count(), instance.node_count(), instance.constraints().len()), (24, 251, 5));
    assert!(instance.node_ids().all(|node| !instance.is_online(node)));
}

#[test]
fn who_sees_an_export() {
    let lib = |to: &str| {
        format!(
            "namespace lib; VM[1..3] : t; $x = VM[1..3]; $me2 = 1; export $x to {to}; export $me to {to};"
        )
    };
    let user = |namespace: &str| format!("namespace {namespace}; import lib; spread($lib.x); spread($lib);");
    for (namespace, to, seen) in [
        ("a", "*", true),
        ("a", "a", true),
        ("a", "b", false),
        ("a", "b, a", true),
        ("p.a", "p.*", true),
        ("p.a", "p", false),
        ("a", "a.*", false),
    ] {
        let path = format!("{}.btrp", namespace.replace('.', "/"));
        let found = wrong(&[(&path, &user(namespace)), ("lib.btrp", &lib(to))]);
        assert_eq!(found.is_empty(), seen, "{namespace} {to}: {found:?}");
        assert!(seen || found == ["E0508", "E0508"], "{found:?}");
    }
    let lib = lib("*");
    let use_of = |text: &str| wrong(&[("a.btrp", &format!("import lib; {text}")), ("lib.btrp", &lib)]);
    assert_eq!(use_of("spread($x);"), ["E0103"]);
    assert_eq!(use_of("$y = $lib.me2;"), ["E0103"]);
    assert_eq!(use_of("$lib.x = 1;"), ["E0107"]);
    assert_eq!(use_of("$lib.x += 1;"), ["E0107"]);
    assert_eq!(use_of("spread(VM1);"), ["E0101"]);
    assert_eq!(use_of("import lib; spread($lib.x);"), [""; 0]);
}

#[test]
fn a_tree_of_imports() {
    let files = Memory::default()
        .with("a.btrp", "namespace a; import b; import c;")
        .with("b.btrp", "namespace b; import in.*;")
        .with("c.btrp", "namespace c; import out.*;")
        .with("in/toto.btrp", "namespace in.toto; VM1 : t; export $me to *;")
        .with("in/titi.btrp", "namespace in.titi; VM1 : t;")
        .with("in/readme.txt", "no script")
        .with("out/foo.btrp", "namespace out.foo;")
        .with("out/bar.btrp", "VM1 : t;");
    let program = Program::load(&["a.btrp".into()], &[], &files);
    assert_eq!(program.dependencies(), "a\n  b\n    in.titi\n    in.toto\n  c\n    out.bar\n    out.foo\n");
    let built = program.apply(None).expect("sound");
    let names: Vec<&str> = built.instance.vms().names().collect();
    assert_eq!(names, ["in.titi.VM1", "in.toto.VM1", "VM1"]);
}

#[test]
fn folders_of_imports() {
    let files = Memory::default()
        .with("x/a.btrp", "import lib; $y = $lib.x;")
        .with("first/lib.btrp", "$x = 1; export $x to *;")
        .with("x/lib.btrp", "nonsense");
    let program = Program::load(&["x/a.btrp".into()], &["first".into()], &files);
    assert!(program.apply(None).is_ok());
    let program = Program::load(&["x/a.btrp".into()], &[], &files);
    let found = program.apply(None).expect_err("the neighbour is nonsense");
    // What a faulty script would have exported is not missed.
    assert_eq!(found.len(), 1, "{:?}", told(&found));
    assert_eq!(program.report().name(found[0].labels[0].file), Some("x/lib.btrp"));
}

#[test]
fn imports_that_do_not_work() {
    assert_eq!(wrong(&[("a.btrp", "import b; spread($b.x);")]), ["E0501"]);
    assert_eq!(wrong(&[("a.btrp", "import b.*; spread($b.c.x);")]), ["E0501"]);
    assert_eq!(wrong(&[("a.btrp", "import b;"), ("b.btrp", "namespace c.b;")]), ["E0504"]);
    assert_eq!(wrong(&[("a.btrp", "namespace b;")]), ["E0504"]);
    assert_eq!(wrong(&[("a.btrp", "import a;")]), ["E0503"]);
    assert_eq!(wrong(&[("a.btrp", "if 1 { import b; }"), ("b.btrp", "")]).len(), 1);
    let circle =
        apply(&[("a.btrp", "import b;"), ("b.btrp", "import c;"), ("c.btrp", "import a; $y = $a.x;")], None);
    let circle = circle.expect_err("a circle");
    assert_eq!(told(&circle), ["E0503 scripts import each other: a -> b -> c -> a"]);
    let found = Program::load(&["none.btrp".into()], &[], &Memory::default());
    let diagnostics = found.apply(None).expect_err("there is no such file");
    assert_eq!(diagnostics[0].code, "E0502");
    assert!(render::human(found.report(), &diagnostics, false).contains("none.btrp"));
}

#[test]
fn documents() {
    let site = r#"{"racks": [["n1", "n2"], ["n3"]], "names": ["1", "2"], "limit": 4, "deep": {"tag": "web"},
        "objects": [{}], "none": null}"#;
    let text = "include \"site.json\" as $site; @n[1..4] : node; VM[$site.names] : t<tag=$t>;
        for $rack in $site.racks { for $n in $rack { >>runningCapacity(@[$n], $site.limit); } } spread(VM[1..2]);";
    let text = text.replace("tag=$t", "tag=\"web\"").replace("@[$n]", "all nodes in @n[1..4]");
    let built = sound(&[("a.btrp", &text), ("site.json", site)]);
    assert_eq!((built.instance.vm_count(), built.instance.constraints().len()), (2, 4));
    let use_of = |text: &str| {
        let text = format!("include \"site.json\" as $site; {text}");
        wrong(&[("a.btrp", &text), ("site.json", site)])
    };
    assert_eq!(use_of("$x = $site;"), ["E0507"]);
    assert_eq!(use_of("$x = $site.objects;"), ["E0507"]);
    assert_eq!(use_of("$x = $site.none;"), ["E0507"]);
    assert_eq!(use_of("$x = $site.limits;"), ["E0103"]);
    assert_eq!(use_of("$site.limit = 3;"), ["E0107"]);
    assert_eq!(use_of("include \"site.json\" as $site;"), ["E0106"]);
    assert_eq!(wrong(&[("a.btrp", "include \"x.json\" as $x; $y = $x.z;")]), ["E0501"]);
    assert_eq!(wrong(&[("a.btrp", "include \"x.json\" as $x; $y = $x.z;"), ("x.json", "[1,")]), ["E0506"]);
}

/// Does it end soon?
#[track_caller]
fn soon<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < Duration::from_secs(60), "{what} took {:?}", start.elapsed());
    result
}

#[test]
fn hostile_scripts_end_with_an_error() {
    let chain = |count: usize, with: &str| vec!["1"; count].join(with);
    let many = "VM[1..1000000] : t;";
    let nested = |inner: &str, depth| format!("{}{inner}{}", "if 1 { ".repeat(depth), "}".repeat(depth));
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("a range", "VM[1..9999999999] : t;".to_owned(), &["E0611"]),
        ("ranges", "VM[1..600000, 600001..1200000] : t;".to_owned(), &["E0611"]),
        ("a far range", "VM[9223372036854775806..9223372036854775807] : t;".to_owned(), &[]),
        ("a product", format!("{many} $x = VM[1..1000000] * VM[1..1000000];"), &["E0605"]),
        ("a power", format!("{many} $x = VM[1..1000000] ^ 2;"), &["E0605"]),
        (
            "a union",
            "VM[1..1000000] : t; W[1..600000] : t; $x = VM[1..600000] + W[1..600000];".to_owned(),
            &["E0615"],
        ),
        (
            "attributes",
            format!("VM1 : t<{}>;", (0..40_000).map(|at| format!("a{at}=1")).collect::<Vec<_>>().join(",")),
            &["E0613"],
        ),
        (
            "resources",
            format!("resource {};", (0..5_000).map(|at| format!("a{at}")).collect::<Vec<_>>().join(",")),
            &["E0613"],
        ),
        ("a long statement", format!("$x = {{{}}};", vec!["1"; 600_000].join(",")), &["E0603"]),
        ("a set", "$x = N; N[1..2] : t;".to_owned(), &["E0101"]),
        ("brackets", format!("$x = {}1{};", "(".repeat(100_000), ")".repeat(100_000)), &["E0601"]),
        ("braces", format!("$x = {}1{};", "{".repeat(100_000), "}".repeat(100_000)), &["E0601"]),
        ("open brackets", "(".repeat(100_000), &["E0601", "E0003", "E0002"]),
        ("blocks", format!("{}{}", "if 1 { ".repeat(10_000), "}".repeat(10_000)), &["E0601"]),
        ("a sum", format!("$x = {};", chain(100_000, " + ")), &["E0601"]),
        ("a short sum", format!("$x = {};", chain(400, " + ")), &[]),
        ("powers", format!("$x = {};", chain(100_000, " ^ ")), &["E0002", "E0601"]),
        ("minus", format!("$x = {}1;", "- ".repeat(100_000)), &["E0002", "E0601"]),
        ("comments", "/*".repeat(100_000), &["E0003", "E0601"]),
        ("a long name", format!("{} : t;", "V".repeat(1_000_000)), &[]),
        ("deep sets", "$x = {1}; for $i in {1,2,3,4,5,6,7,8,9} { $x = {$x}; }".to_owned(), &["E0614"]),
        (
            "deep calls",
            format!("VM1 : t; def f($n) {{ {} }} f(1);", nested("f((1 + ((($n) + 1)) + 1));", 8)),
            &["E0608"],
        ),
        ("deep values", "def f($n) = {{{{f((1 + ((($n) + 1)) + 1))}}}}; $x = f(1);".to_owned(), &["E0608"]),
        ("doubling", "$x = \"x\"; for $i in all vms { $x = $x + $x; }".to_owned(), &["W0902"]),
    ];
    for (what, text, expected) in cases {
        let found = soon(what, || codes(&text));
        assert_eq!(found.is_empty(), expected.is_empty(), "{what}: {found:?}");
        assert!(found.iter().all(|code| expected.contains(code)), "{what}: {found:?}");
        // A limit of the whole run is told once.
        assert!(found.len() == 1 || !found.contains(&"E0613"), "{what}: {found:?}");
    }
}

#[test]
fn hostile_loops_end_with_an_error() {
    let loops = |depth: usize, inner: &str| {
        let mut text = with_elements("$a = {1,2,3,4,5,6,7,8,9,10,11,12}; $s = VM[1..20]; $t = \"x\";\n");
        for at in 0..depth {
            text.push_str(&format!("for $i{at} in $a {{ "));
        }
        text.push_str(inner);
        text.push_str(&"}".repeat(depth));
        text
    };
    let found = soon("loops", || codes(&loops(12, "")));
    assert_eq!(found, ["E0607"]);
    let found = soon("doubling", || codes(&loops(3, "$t = $t + $t;")));
    assert_eq!(found, ["E0612"]);
    let text = "VM[1..1000000] : t; $a = {1,2,3,4,5,6,7,8,9,10}; $s = VM[1..1000000];
        for $i in $a { for $j in $a { for $k in $a { for $l in $a { $u = $s + $s; } } } }";
    let found = soon("unions", || codes(text));
    assert_eq!(found, ["E0607"]);
    let mut text = "VM[1..1000000] : t; $s = VM[1..1000000];".to_owned();
    for at in 0..400 {
        text.push_str(&format!("$s{at} = $s - VM{};", at + 1));
    }
    let found = soon("copies", || codes(&text));
    assert_eq!(found, ["E0612"]);
    let text = "VM[1..3000] : t; $a = VM[1..2000] * VM[1..1000]; before(VM[1..3000], VM[1..3000]);";
    assert_eq!(soon("constraints", || codes(text)), ["E0606"]);
}

#[test]
fn so_many_mistakes_are_told() {
    let text: String = (0..1000).map(|at| format!("$x{at} = $y{at};\n")).collect();
    let found = codes(&text);
    assert_eq!(found.len(), 101);
    assert_eq!(found.last(), Some(&"E0604"));
}

#[test]
fn chains_of_imports() {
    let mut files = Memory::default();
    for at in 0..1_500 {
        files = files.with(format!("s{at}.btrp"), format!("import s{};", at + 1));
    }
    let found = soon("imports", || Program::load(&["s0.btrp".into()], &[], &files).apply(None));
    let found = found.expect_err("too many files");
    assert_eq!(told(&found).len(), 1, "{:?}", told(&found));
    assert_eq!(found[0].code, "E0609");
}

#[test]
fn files_that_are_too_long_or_no_text() {
    let long = "\n".repeat((16 << 20) + 1);
    assert_eq!(codes(&long), ["E0602"]);
    let files = Memory::default().with("a.btrp", b"$x = \"\xff\";".as_slice());
    let found = Program::load(&["a.btrp".into()], &[], &files).apply(None).expect_err("not UTF-8");
    assert_eq!(found[0].code, "E0502");
    let document = " ".repeat((64 << 20) + 1);
    assert_eq!(wrong(&[("a.btrp", "include \"x.json\" as $x;"), ("x.json", &document)]), ["E0610"]);
}

#[test]
fn every_prefix_of_a_script_is_taken() {
    let text = format!(
        "{SHOP}{DATACENTER}resource cpu; def f($a) = $a / 2; include \"x.json\" as $x; minimise mttr;"
    );
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
        let files = Memory::default().with("shop.btrp", &text[..end]).with("datacenter.btrp", DATACENTER);
        let program = Program::load(&["shop.btrp".into()], &[], &files);
        let found: Vec<Diagnostic> = match program.apply(None) {
            Ok(built) => built.warnings,
            Err(diagnostics) => diagnostics,
        };
        let shown = render::human(program.report(), &found, false);
        assert_eq!(shown.is_empty(), found.is_empty());
        assert_eq!(render::json_lines(program.report(), &found).lines().count(), found.len());
    }
}

#[test]
fn a_hundred_thousand_constraints() {
    let text =
        "resource cpu; @n[1..30000] : node<cpu=16> online; VM[1..30000] : t<cpu=1> running on @n[1..30000];
        ban(VM[1..30000], @n[1..30000] - @n1); fence(VM[1..30000], @n[1..20000]); root(VM[1..30000]);
        for $t in VM[1..30000] % 3 { >>spread($t); }";
    let built = sound(&[("a.btrp", text)]);
    assert_eq!(built.instance.constraints().len(), 100_000);
}

#[test]
fn the_examples_are_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dsl/examples");
    let mut files = Memory::default();
    for entry in std::fs::read_dir(folder).expect("the examples") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_owned();
        files = files.with(name, std::fs::read(&path).expect("readable"));
    }
    assert!(!files.files.is_empty());
    for path in files.files.keys().filter(|path| path.extension().is_some_and(|end| end == "btrp")) {
        let program = Program::load(std::slice::from_ref(path), &[], &files);
        match program.apply(None) {
            Ok(built) => assert!(built.warnings.is_empty(), "{:?}", told(&built.warnings)),
            Err(found) => panic!("{}", render::human(program.report(), &found, false)),
        }
    }
}
