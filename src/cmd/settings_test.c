#include "cmd/settings.h"
#include "test/unit.h"

static void every_setting_is_whole(void **state)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        char takes[SETTING_LIMITS_SIZE];
        assert_non_null(setting->path);
        assert_true(strlen(setting->help) > 0);
        assert_true(setting->least <= setting->most);
        assert_int_equal(setting_named(setting->path), name); /* No path twice. */
        setting_takes(setting, takes);
        assert_true(strlen(takes) > 0);
        assert_int_equal(setting->choices != NULL, setting->kind == SETTING_CHOICE ||
                                                       setting->kind == SETTING_CHOICE_BY_NAME);
    }
    assert_int_equal(setting_named("no.such"), SETTING_NAMES);
}

static void every_default_quantity_reads_and_is_in_range(void **state)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        const struct setting *setting = &settings[name];
        const char *text = setting->standard;
        int64_t value;
        if (setting->kind > SETTING_PERCENT || setting_has_auto(setting) || text[0] == '=' ||
            text[0] == '\0') {
            continue;
        }
        assert_int_equal(
            quantity_read((enum quantity)setting->kind, (struct span){text, strlen(text)}, &value),
            QUANTITY_READ);
        assert_true(value >= setting->least && value <= setting->most);
    }
}

static void no_two_settings_share_an_environment_variable(void **state)
{
    for (enum setting_name name = 0; name < SETTING_NAMES; name++) {
        char variable[SETTING_VARIABLE_SIZE];
        if (setting_in_record(&settings[name])) {
            continue;
        }
        setting_variable(&settings[name], variable);
        for (enum setting_name other = 0; other < name; other++) {
            char others[SETTING_VARIABLE_SIZE];
            setting_variable(&settings[other], others);
            assert_string_not_equal(variable, others);
        }
    }
}

static void says_what_a_setting_takes(void **state)
{
    char text[SETTING_LIMITS_SIZE];

    setting_takes(&settings[SET_LATENESS], text);
    assert_string_equal(text, "duration, 0s to 30d");
    setting_takes(&settings[SET_MEMORY_LIMIT], text);
    assert_string_equal(text, "size, 16MiB to 64TiB, or auto");
    setting_takes(&settings[SET_LOG_FORMAT], text);
    assert_string_equal(text, "one of auto|text|json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_whole),
        cmocka_unit_test(every_default_quantity_reads_and_is_in_range),
        cmocka_unit_test(no_two_settings_share_an_environment_variable),
        cmocka_unit_test(says_what_a_setting_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
