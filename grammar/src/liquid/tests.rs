use super::*;
use crate::span::FileId;
use proptest::prelude::*;

fn parse(text: &str) -> LiquidParse {
    parse_template(FileId(0), text)
}

/// The errors, as `place: message (help)`.
fn errors(text: &str) -> String {
    let show = |error: &SyntaxError| {
        let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{} `{}`: {}{help}", error.code, error.span.text(text), error.message)
    };
    parse(text).errors.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// The nodes, each as its source or a word for it.
fn sketch(text: &str) -> Vec<String> {
    nodes(&parse(text).template.body, text)
}

fn nodes(list: &[Node], text: &str) -> Vec<String> {
    list.iter()
        .map(|node| match node {
            Node::Text(span) => format!("{:?}", span.text(text)),
            Node::Output(value) => {
                let filters: Vec<_> = value.filters.iter().map(|f| f.span.text(text)).collect();
                format!("{{{}|{}}}", value.value.span.text(text), filters.join("|"))
            }
            Node::If(node) => {
                let branches: Vec<_> = node
                    .branches
                    .iter()
                    .map(|b| {
                        format!(
                            "{}{}:{}",
                            if b.negated { "!" } else { "" },
                            b.condition.span.text(text),
                            nodes(&b.body, text).join("")
                        )
                    })
                    .collect();
                let otherwise =
                    node.otherwise.as_ref().map(|n| format!(" else:{}", nodes(n, text).join(""))).unwrap_or_default();
                format!("if({}{otherwise})", branches.join(" "))
            }
            Node::For(node) => {
                format!("for({} in {}:{})", node.name.text, node.over.span.text(text), nodes(&node.body, text).join(""))
            }
            Node::Broken(span) => format!("broken({})", span.text(text)),
            Node::Case(node) => {
                let arms: Vec<_> =
                    node.arms.iter().map(|(v, n)| format!("{}:{}", v.len(), nodes(n, text).join(""))).collect();
                format!("case({} {})", node.subject.span.text(text), arms.join(" "))
            }
            Node::Assign { name, value } => format!("{}={}", name.text, value.span.text(text)),
            Node::Capture { name, body } => format!("capture({}:{})", name.text, nodes(body, text).join("")),
            other => format!("{other:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
        })
        .collect()
}

#[test]
fn pieces_and_whitespace_control() {
    assert_eq!(sketch("a {{- x -}} b"), ["\"a\"", "{x|}", "\"b\""]);
    assert_eq!(sketch("a {%- if x -%} b {%- endif -%} c"), ["\"a\"", "if(x:\"b\")", "\"c\""]);
    assert_eq!(sketch("{% raw %}{{ x }}{% endraw %}"), ["\"{{ x }}\""]);
    assert_eq!(sketch("a {%- raw -%} {{ x {%- endraw -%} b"), ["\"a\"", "\"{{ x\"", "\"b\""]);
    assert_eq!(sketch("{% comment %}{{ don't }}{% comment %}{% endcomment %}{% nope %}{% endcomment %}z"), ["\"z\""]);
    assert_eq!(sketch("{%# hi %}{% # there %}z"), ["\"z\""]);
    assert_eq!(sketch("{{ \"}}\" }}|{{ '%}' | a: 'b}}' }}"), ["{\"}}\"|}", "\"|\"", "{'%}'|a: 'b}}'}"]);
    assert_eq!(
        sketch("{% liquid\n assign a = 1\n\n # note\n if a\n echo a\n endif %}z"),
        ["a=1", "if(a:{a|})", "\"z\""]
    );
}

#[test]
fn blocks_nest() {
    assert_eq!(
        sketch("{% if a %}1{% elsif b %}2{% else %}3{% endif %}{% unless c %}4{% endunless %}"),
        ["if(a:\"1\" b:\"2\" else:\"3\")", "if(!c:\"4\")"]
    );
    assert_eq!(
        sketch("{% for i in (1..3) %}{% for j in i %}x{% endfor %}{% endfor %}"),
        ["for(i in (1..3):for(j in i:\"x\"))"]
    );
    assert_eq!(
        sketch("{% case x %} no {% when 1, 2 or 3 %}a{% when 'b' %}{% else %}c{% endcase %}"),
        ["case(x 3:\"a\" 1:)"]
    );
}

#[test]
fn every_tag_is_read() {
    for text in [
        "{% tablerow x in xs cols: 2, limit: 3 offset: 1 %}{% endtablerow %}",
        "{% for x in xs limit:2 offset:continue reversed %}{% else %}{% endfor %}",
        "{% cycle 'a', 'b' %}{% cycle g: 'a', 'b' %}{% cycle 'g': 'a' %}",
        "{% increment x %}{% decrement x %}{% break %}{% continue %}",
        "{% render 'a' %}{% render \"a\", x: 1, y: z.w[0] %}{% render 'a' with b as c, d: 1 %}{% render 'a' for b as c %}",
        "{% capture x %}{% endcapture %}{% capture 'x' %}{% endcapture %}",
        "{% echo x | upcase %}{{ x | truncate: 20, '…' | default: nil, allow_false: true }}",
        "{{ a-b.c-d[\"e\"][f.g][-1] }}{{ ['x'].y }}{{ (1..n) }}{{ città }}{{ x.size? }}",
        "{% if a == 1 and b != nil or c <> blank and d contains 'x' and e >= 1.5 %}{% endif %}",
    ] {
        assert_eq!(errors(text), "", "{text}");
    }
}

#[test]
fn front_matter_is_read() {
    let text = "---\nsubject: \"Hi {{ user.first_name }}: it's here\"\n# note\n\nfrom: Shop <a@b.c>\n---\nbody";
    let parse = parse(text);
    assert_eq!(parse.errors, []);
    let front: Vec<_> = parse.template.front.iter().map(|l| (l.key.text.as_str(), nodes(&l.value, text))).collect();
    assert_eq!(
        front[0],
        ("subject", vec!["\"Hi \"".to_owned(), "{user.first_name|}".to_owned(), "\": it's here\"".to_owned()])
    );
    assert_eq!(front[1].1, ["\"Shop <a@b.c>\""]);
    assert_eq!(nodes(&parse.template.body, text), ["\"body\""]);
}

#[test]
fn mistakes_are_placed_and_one_each() {
    let texts = [
        "{{ user.first_name",
        "a {{ x | }} b {{ y z }} c",
        "{% if x = 1 %}{% endif %}{% if a && b %}{% endif %}{% if x | size > 1 %}{% endif %}",
        "{% fro x in y %}{% endfor %}{% include 'x' %}{% %}{% elif x %}",
        "{% if x %}{% for y in z %}{% endif %}{% endfor %}",
        "{% if x %}a{% end %}{% else %}{% case x %}{% when %}{% endcase %}",
        "{% for x of y %}{% endfor %}{% for x in y cols: 1 %}{% endfor %}{% assign x : 1 %}{{ user's name }}",
        "{{ 123456789012345678901234567890.5 }}{% raw %}{{",
        "---\nsubject Hi\n---\n{% comment %}",
        "---\nsubject: Hi\n",
        "{% liquid\n if x\n echo y %}{% if a %}{% else if b %}{% endif %}",
    ];
    let shown: Vec<String> = texts.iter().map(|text| format!("{text}\n{}\n", errors(text))).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn nesting_is_bounded() {
    let deep = "{% if x %}".repeat(200) + &"{% endif %}".repeat(200);
    assert_eq!(parse(&deep).errors.len(), 1);
    let brackets = format!("{{{{ a{}0{} }}}}", "[a".repeat(500), "]".repeat(500));
    assert_eq!(parse(&brackets).errors.len(), 1);
    let chain = format!("{{% if {} x %}}{{% endif %}}", "x and ".repeat(20_000));
    assert_eq!(parse(&chain).errors.len(), 0);
    assert_eq!(parse(&" ".repeat(MAX_TEMPLATE_BYTES + 1)).errors.len(), 1);
}

const SCRAPS: [&str; 34] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "-",
    " ",
    "\n",
    "if",
    "endif",
    "for",
    "x",
    "in",
    "endfor",
    "(",
    "1..2",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "|",
    ":",
    ",",
    "raw",
    "endraw",
    "comment",
    "endcomment",
    "liquid",
    "case",
    "when",
    "else",
    "---",
    "è",
    "render",
];

proptest! {
    #[test]
    fn any_text_parses_to_places_in_it(parts in proptest::collection::vec(0..SCRAPS.len(), 0..60)) {
        let text: String = parts.iter().map(|at| SCRAPS[*at]).collect();
        for error in parse(&text).errors {
            prop_assert!(text.get(error.span.start as usize..error.span.end as usize).is_some());
        }
    }
}
