import ZabSimulator

ZabSimulator.SimulatorProgram.main()
