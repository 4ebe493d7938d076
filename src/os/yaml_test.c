#include "os/yaml.h"
#include "test/unit.h"

static struct yaml_node nodes[4096];
static char texts[YAML_SIZE_MAX];

static enum outcome read_text(const char *text, const struct yaml_node **ret_root,
                              struct yaml_mark *ret_mark, struct fault *ret_fault)
{
    struct yaml yaml;

    yaml_init(&yaml, nodes, sizeof(nodes) / sizeof(nodes[0]), texts, sizeof(texts));
    return yaml_read(&yaml, (struct span){text, strlen(text)}, ret_root, ret_mark, ret_fault);
}

static void says_where_each_key_and_value_stands(void **state)
{
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    assert_int_equal(
        read_text("# a\npipeline: payments\ndedup:\n  retention: 1h\n", &root, &mark, &fault),
        DONE);
    const struct yaml_node *retention = yaml_child(yaml_child(root, "dedup"), "retention");
    assert_string_equal(retention->text, "1h");
    assert_int_equal(retention->key_mark.line, 4);
    assert_int_equal(retention->key_mark.column, 3);
    assert_int_equal(retention->key_mark.width, 9);
    assert_int_equal(retention->mark.column, 14);
    assert_int_equal(retention->mark.width, 2);
}

static void never_types_by_the_looks(void **state)
{
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    assert_int_equal(read_text("{country: NO, id: 0123, none: ~}", &root, &mark, &fault), DONE);
    assert_string_equal(yaml_child(root, "country")->text, "NO");
    assert_string_equal(yaml_child(root, "id")->text, "0123");
    assert_string_equal(yaml_child(root, "none")->text, "~");
}

static void keeps_both_of_a_repeated_key_in_order(void **state)
{
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    assert_int_equal(read_text("a: 1\na: 2\n", &root, &mark, &fault), DONE);
    assert_int_equal(root->count, 2);
    assert_string_equal(root->child->text, "1");
    assert_string_equal(root->child->next->text, "2");
}

static void refused(const char *text, const char *sentence, uint32_t line, uint32_t column)
{
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    assert_int_equal(read_text(text, &root, &mark, &fault), REFUSED);
    if (strstr(fault.text, sentence) == NULL) {
        fail_msg("said \"%s\", not \"%s\"", fault.text, sentence);
    }
    assert_int_equal(mark.line, line);
    assert_int_equal(mark.column, column);
}

static void refuses_by_name_what_it_does_not_read(void **state)
{
    refused("a: &x 1\n", "anchors", 1, 4);
    refused("a: 1\nb: *x\n", "aliases", 2, 4);
    refused("a: !!int 1\n", "tags", 1, 4);
    refused("a: &x {b: 1}\n", "anchors", 1, 4);
    refused("a: !t [1]\n", "tags", 1, 4);
    refused("? [a]\n: 1\n", "plain text", 1, 3);
    refused("a: 1\n---\nb: 2\n", "second document", 2, 1);
    refused("a: [[[[[[[[1]]]]]]]]\n", "nested deeper than 8", 1, 11);
    refused("a: \"\\0\"\n", "zero byte", 1, 4);
    refused("a: [1\nb: 2\n", "expected", 2, 2);
    refused("a: \xff\n", "UTF-8", 0, 0);
}

static void a_text_of_comments_has_no_root(void **state)
{
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    assert_int_equal(read_text("# nothing\n", &root, &mark, &fault), DONE);
    assert_null(root);
    assert_int_equal(read_text("", &root, &mark, &fault), DONE);
    assert_null(root);
}

static void everything_has_a_limit(void **state)
{
    static char text[YAML_SIZE_MAX + 2];
    size_t size = 0;

    memcpy(text, "a: ", 3);
    memset(text + 3, 'x', YAML_TEXT_SIZE_MAX + 1);
    text[YAML_TEXT_SIZE_MAX + 4] = '\0';
    refused(text, "longer than 2048", 1, 4);

    for (int key = 0; key <= YAML_KEYS_MAX; key++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "k%d: 1\n", key);
    }
    refused(text, "more than 256 keys", 257, 7);

    memset(text, '#', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    refused(text, "larger than 256 KiB", 0, 0);
}

static void lent_memory_that_runs_out_is_said(void **state)
{
    struct yaml_node few[2];
    struct yaml yaml;
    const struct yaml_node *root;
    struct yaml_mark mark;
    struct fault fault;

    yaml_init(&yaml, few, 2, texts, sizeof(texts));
    assert_int_equal(yaml_read(&yaml, (struct span){"[1, 2]", 6}, &root, &mark, &fault), REFUSED);
    yaml_init(&yaml, nodes, 9, texts, 3);
    assert_int_equal(yaml_read(&yaml, (struct span){"[1, 234]", 8}, &root, &mark, &fault), REFUSED);
    assert_null(yaml_text(&yaml, (struct span){"abc", 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_each_key_and_value_stands),
        cmocka_unit_test(never_types_by_the_looks),
        cmocka_unit_test(keeps_both_of_a_repeated_key_in_order),
        cmocka_unit_test(refuses_by_name_what_it_does_not_read),
        cmocka_unit_test(a_text_of_comments_has_no_root),
        cmocka_unit_test(everything_has_a_limit),
        cmocka_unit_test(lent_memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
