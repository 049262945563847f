from gan_framework.evaluation.protocol import differences

A = {"extractor": "inception", "samples": 1000, "metrics": {"fid_inception": {}, "kid_inception": {"subset_size": 100}}}


def test_equal_protocols_do_not_differ():
    assert differences(A, {**A}) == []


def test_fields_are_named():
    assert differences(A, {**A, "samples": 50, "extractor": "raw"}) == ["extractor", "samples"]


def test_a_field_that_one_lacks_differs():
    assert differences(A, {k: v for k, v in A.items() if k != "samples"}) == ["samples"]


def test_only_the_compared_metric_settings_matter():
    b = {**A, "metrics": {"fid_inception": {}, "kid_inception": {"subset_size": 50}}}
    assert differences(A, b) == ["metrics.kid_inception.subset_size"]
    assert differences(A, b, "kid_inception") == ["metrics.kid_inception.subset_size"]
    assert differences(A, b, "fid_inception") == []


def test_a_metric_that_one_lacks_does_not_matter_to_the_others():
    assert differences(A, {**A, "metrics": {"fid_inception": {}}}) == []


def test_names_of_classes_differ_only_where_both_are_known():
    assert differences(A, {**A, "classes": ["cat"]}) == []
    assert differences({**A, "classes": ["dog"]}, {**A, "classes": ["cat"]}) == ["classes"]
