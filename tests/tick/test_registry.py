

def test_a_rejection_needs_no_metrics_to_take_it_back(world: World) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at(world, 1000))

    class Silent:
        def rows(self, reading: object) -> None:
            raise TimeoutError("no metrics")

    world.metrics, world.package = Silent(), ModelPackage("Rejected")
    world.run(lambda: world.canary_parts() == 0, 300)

    assert world.canary_parts() == 0
